topology "t" {}

site "a" {
  provider = "sim"
  zones    = ["a1", "a2"]
}

site "b" {
  provider = "sim"
}

network "n" {
  cidr        = "10.0.0.0/16"
  site_prefix = 20
  sites       = [site.a, site.b]
}

network "other" {
  cidr  = "10.1.0.0/16"
  sites = [site.a]
}

subnet "s" {
  network = network.n
  newbits = 4
}

firewall "f" {
  network = network.n
}

firewall "elsewhere" {
  network = network.other
}

machine "m" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
}

machines "fleet" {
  count  = 2
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
}

machine "many" {
  for_each = ["x", "y"]
  cpu      = 1
  memory   = "1GiB"
  image    = "debian-12"
  subnet   = subnet.s
}
