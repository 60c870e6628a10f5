machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  keypair = keypair.ops
  firewalls = [firewall.ff]
  user_data = var.usr
}
