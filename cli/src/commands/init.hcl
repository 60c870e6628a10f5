# A first topology. `strat plan` shows what would be made, `strat apply` makes it.

topology "first" {
  labels = { env = var.env }
}

variable "env" {
  type    = string
  default = "dev"
}

# The simulator stands for a cloud; its world is the folder `.sim` beside this file.
site "east" {
  provider = "sim"
  account  = "main"
  profile  = "aws"
  region   = "us-east-1"
}

network "core" {
  cidr        = "10.0.0.0/16"
  site_prefix = 20
  sites       = [site.east]
}

subnet "app" {
  network = network.core
  newbits = 3
}

firewall "web" {
  network = network.core

  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80, 443]
  }
}

machines "web" {
  count     = 2
  cpu       = 2
  memory    = "8GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]

  placement {
    sites  = [site.east]
    spread = "zone"
  }
}

output "web_private_ips" {
  value = machines.web.private_ips
}
