machines "c" {
  count = -2
  cpu = 1
  memory = "1GiB"
  image = "debian-12"
  subnet = subnet.s
}
