machine "c" {
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  cpu = 0
}
machine "d" {
  cpu    = 1
  image  = "debian-12"
  subnet = subnet.s
  memory = "100TiB"
}
machine "e" {
  image  = "debian-12"
  subnet = subnet.s
}
machine "f" {
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
}
machine "g" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  machine_type = "m5.large"
}
machine "h" {
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  cpu = 5000
}
