variable "n" {
  default = local.x
}
locals {
  x = 1
}
