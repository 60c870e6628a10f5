variable "n" {
  type = list(number)
  default = [1, "two"]
}
variable "o" {
  type = object({ a = string, b = optional(number) })
  default = { b = 1 }
}
