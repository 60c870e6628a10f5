locals {
  x = true ? 1 : var.nope
}
