machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  protect = [1]
  firewalls = firewall.f
  keypair = "ops"
}
volume "c" {
  size = 10
  attach = machine.fleet
}
