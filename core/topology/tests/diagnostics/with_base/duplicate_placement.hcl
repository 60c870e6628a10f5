machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  placement {
    zone = "a1"
  }
  placement {
    zone = "a2"
  }
}
