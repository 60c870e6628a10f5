topology "t" {}
locals {
  x = <<EOT
  text
}
