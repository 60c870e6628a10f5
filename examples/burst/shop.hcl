# A shop whose web machines follow their load: owned hardware first, a cloud for what that does not hold,
# and home again. Both are the embedded simulator, and the load is a number in the file `load`, so that all
# of it can be tried at once: scripts/burst-tour does.

topology "shop" {}

site "dc1" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc1"
  zones     = ["rack1"]
  capacity  = { cpu = 8, memory = "64GiB", disk = "8TiB" }
  create_ms = 1000
}

site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 4000
}

network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc1, site.east]
}

subnet "app" {
  network = network.core
  newbits = 3
}

# Two machines at least: the burst holds the count from there on.
machines "web" {
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app

  placement {
    sites  = [site.dc1, site.east]
    prefer = "owned"
  }
}

burst "web" {
  fleet  = machines.web
  demand = "exec cat load" # in earnest: "sum(rate(http_requests_total[1m]))"
  each   = 100
  max    = 12

  # Short, so that a tour sees it: the defaults are 15 minutes and 10.
  down {
    after   = "10s"
    min_age = "5s"
    step    = "100%"
  }

  cost {
    hourly = "2 USD"
  }
}
