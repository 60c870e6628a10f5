bucket "c" {
  site = site.a
  labels = { ip = machine.m.private_ip }
}
machine "c" {
  cpu    = 1
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.s
  user_data = upper(machine.m.private_ip)
}
bucket "d" {
  site = site.a
  for_each = [machine.m.id]
}
