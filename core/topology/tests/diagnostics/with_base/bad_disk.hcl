machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  disk {
    size = "0GiB"
  }
  disk {
    size = "1GiB"
    class = "sdd"
  }
  disk {
  }
}
