machine "x" {
  cpu    = 1
  memory = "1GiB"
  image  = ["debian-12"]
  subnet = "subnet.s"
}

bucket "x" {
  site = "site.a"
}
