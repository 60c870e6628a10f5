machine "c" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = "reached at ${address.c.ip}"
}
address "c" {
  attach = machine.c
}
