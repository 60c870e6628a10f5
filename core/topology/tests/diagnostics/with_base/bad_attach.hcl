volume "c" {
  size = "1GiB"
  attach = subnet.s
}
volume "d" {
  size = "1GiB"
}
volume "e" {
  size = "1GiB"
  attach = machine.m
  site = site.a
}
address "f" {
}
volume "g" {
  size = "1GiB"
  attach = machine.m
  zone = "a1"
}
