variable "n" {
  type = number
  default = 0
  validation {
    condition = var.n > 0
    message = "n must be above zero, not ${var.n}"
  }
}
