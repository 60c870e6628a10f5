machin "c" {}
bucket "c" {
  site = site.nope
  colour = 1
}
locals {
  x = 1 / 0
}
