machines "a" {
  count   = 3
  cpu     = 2
  memory  = "4GiB"
  image   = "debian-12"
  subnet  = subnet.s
  rollout {
    wave = "0%"
    health {
      port     = 70000
      path     = "no slash"
      address  = "secret"
      timeout  = "5"
      interval = "2d"
    }
    health { port = 80 }
  }
}
machines "b" {
  count   = 3
  cpu     = 2
  memory  = "4GiB"
  image   = "debian-12"
  subnet  = subnet.s
  rollout {
    wave  = 0
    waves = 2
    health { path = "/" }
  }
  rollout {}
}
