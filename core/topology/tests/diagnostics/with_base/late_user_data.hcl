machine "x" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = upper(machine.m.private_ip)
}

machine "y" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = join(" ", machines.fleet.private_ips)
}
