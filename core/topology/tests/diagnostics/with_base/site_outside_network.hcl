subnet "c" {
  network = network.other
  newbits = 4
}
machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.c
  placement {
    sites = [site.a, site.b]
  }
}
