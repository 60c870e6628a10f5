machines "c" {
  count = 0
  cpu = 1
  memory = "1GiB"
  image = "debian-12"
  subnet = subnet.s
}
bucket "bad" {}
