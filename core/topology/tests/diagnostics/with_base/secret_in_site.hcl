site "c" {
  provider   = "aws"
  access_key = "AKIA"
  secret_key = "x"
}
