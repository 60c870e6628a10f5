subnet "open" {
  network  = network.n
  newbits  = 4
  internet = "public"
}
subnet "closed" {
  network  = network.n
  newbits  = 4
  internet = "none"
}
subnet "ajar" {
  network  = network.n
  newbits  = 4
  internet = "private"
}
machine "in_open" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.open
  public_ip = true
}
machine "in_closed" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.closed
  public_ip = true
}
machines "in_any" {
  count     = 2
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  public_ip = true
}
address "closed" {
  attach = machine.in_closed
}
address "by_site" {
  attach = machine.m
}
