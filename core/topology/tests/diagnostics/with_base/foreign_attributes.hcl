machine "x" {
  instance_type     = "m5.large"
  ami               = "ami-1"
  subnet_id         = subnet.s
  security_groups   = []
  availability_zone = "a1"
  tags              = {}

  lifecycle {
    prevent_destroy = true
  }
}

subnet "x" {
  vpc_id     = network.n
  cidr_block = "10.0.1.0/24"
  newbits    = 4
}

firewall "x" {
  network = network.n

  ingress "a" {
    to        = ["internet"]
    from_port = 80
  }

  rule {}
}

variable "x" {
  default  = 1
  nullable = false

  validation {
    condition     = true
    error_message = "never"
  }
}
