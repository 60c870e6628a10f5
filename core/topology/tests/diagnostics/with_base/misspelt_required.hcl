machines "x" {
  cout   = 3
  cpus   = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.s
}
