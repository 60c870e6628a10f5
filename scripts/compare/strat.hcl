topology "compare" {}

variable "endpoint" {
  type = string
}

site "east" {
  provider = "aws"
  region   = "eu-central-1"
  zones    = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  endpoint = var.endpoint
}

network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.east]
}

subnet "app" {
  network = network.core
  newbits = 4
}

subnet "data" {
  network = network.core
  newbits = 4
}

firewall "web" {
  network = network.core

  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80, 443]
  }
}

firewall "app" {
  network = network.core

  ingress "web" {
    from     = [firewall.web]
    protocol = "tcp"
    ports    = [8080]
  }
}

firewall "db" {
  network = network.core

  ingress "app" {
    from     = [firewall.app]
    protocol = "tcp"
    ports    = [5432]
  }
}

machines "web" {
  count        = 100
  machine_type = "t3.micro"
  image        = "debian-12"
  subnet       = subnet.app
  firewalls    = [firewall.web]

  placement {
    sites  = [site.east]
    spread = "zone"
  }
}
