locals {
  x = debian
  y = foo.bar
}
