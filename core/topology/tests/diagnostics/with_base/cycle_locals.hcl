locals {
  a = local.b
  b = [for x in [1] : local.c]
  c = "${local.a}"
}
