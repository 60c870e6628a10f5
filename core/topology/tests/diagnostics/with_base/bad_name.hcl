bucket "a b" {
  site = site.a
}
variable "1x" {
  default = 1
}
