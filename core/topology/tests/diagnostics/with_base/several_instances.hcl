volume "c" {
  size   = "1GiB"
  attach = machine.many
}
