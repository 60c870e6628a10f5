bucket "c" {
  count = -1
  site = site.a
}
bucket "d" {
  count = 1.5
  site = site.a
}
bucket "e" {
  count = machine.m.private_ip
  site = site.a
}
