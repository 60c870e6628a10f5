topology "t" {
  realm: "x"
}
locals {
  x = [1
}
