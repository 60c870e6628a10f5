variable "n" {
  type = strng
}
variable "o" {
  type = list(1)
}
