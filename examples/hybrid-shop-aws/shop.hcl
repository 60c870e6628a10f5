# The reference topology with both clouds on AWS, in two regions; the racks stay simulated.
# Needs a `strat` with the feature `aws` and credentials by the standard chain.
# Without an account: start moto, and give `--var endpoint=http://127.0.0.1:5000`.

topology "shop" {
  lineage = "n3w8c6yd1r9p0jb4"
  labels  = { env = var.env, team = "platform" }
}

variable "env" {
  type    = string
  default = "staging"
}

variable "web_count" {
  description = "Web machines in the steady state"
  type        = number
  default     = 6

  validation {
    condition = var.web_count >= 1 && var.web_count <= 500
    message   = "web_count must be between 1 and 500"
  }
}

variable "endpoint" {
  description = "Another place than AWS's own endpoints"
  type        = string
  default     = null
}

locals {
  http_ports = [80, 443]
}

site "dc1" {
  provider = "sim"
  profile  = "onprem"
  region   = "dc1"
  zones    = ["rack1", "rack2"]
  capacity = { cpu = 64, memory = "256GiB", disk = "8TiB" }
}

site "east" {
  provider = "aws"
  region   = "us-east-1"
  zones    = ["us-east-1a", "us-east-1b", "us-east-1c"]
  endpoint = var.endpoint
}

site "west" {
  provider = "aws"
  region   = "eu-west-1"
  zones    = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  endpoint = var.endpoint
}

# One address space; every site gets a slice of its own that never moves when another site is added.
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc1, site.east, site.west]
}

# One subnet per site, or per zone where that cloud's subnets are zonal.
# What serves the internet is in a public one, databases have no way there at all.
subnet "app" {
  network  = network.core
  newbits  = 3
  internet = "public"
}

subnet "data" {
  network  = network.core
  newbits  = 3
  internet = "none"
}

firewall "web" {
  network = network.core

  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = local.http_ports
  }

  ingress "ssh" {
    from     = ["10.20.0.0/16"]
    protocol = "tcp"
    ports    = [22]
  }
}

firewall "db" {
  network = network.core

  ingress "postgres" {
    from     = [firewall.web]
    protocol = "tcp"
    ports    = ["5432-5433"]
  }
}

keypair "ops" {
  public_key = file("ops.pub")
}

# A fleet: interchangeable machines. Sites are in order of preference; what does not fit on dc1 goes on.
machines "web" {
  count     = var.web_count
  cpu       = 4
  memory    = "16GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  keypair   = keypair.ops
  public_ip = true
  user_data = templatefile("web-init.yaml", { env = var.env })

  disk {
    size  = "40GiB"
    class = "ssd"
  }

  placement {
    sites  = [site.dc1, site.east, site.west]
    spread = "zone"
  }

  labels = { role = "web" }
}

# A machine with an identity of its own.
machine "db" {
  for_each  = { primary = "rack1", standby = "rack2" }
  cpu       = 8
  memory    = "32GiB"
  image     = "debian-12"
  subnet    = subnet.data
  firewalls = [firewall.db]
  keypair   = keypair.ops

  placement {
    sites = [site.dc1]
    zone  = each.value
  }
}

volume "db" {
  for_each = machine.db
  size     = "200GiB"
  class    = "ssd"
  attach   = each.value
  protect  = true
}

# What the shop is reached by: a machine that keeps its address and its disk.
machine "gate" {
  cpu       = 2
  memory    = "4GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  keypair   = keypair.ops

  placement {
    sites = [site.east]
  }
}

address "gate" {
  attach = machine.gate
}

volume "gate" {
  size   = "20GiB"
  class  = "ssd"
  attach = machine.gate
}

bucket "assets" {
  site       = site.east
  versioning = true
}

output "web_private_ips" {
  value = machines.web.private_ips
}

output "db_primary" {
  value = machine.db["primary"].private_ip
}
