machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  placement {
    sites = [site.a]
    zone = "a3"
  }
}
volume "c" {
  size = "1GiB"
  site = site.a
  zone = "b1"
}
