site "a" {
  provider = "sim"
}
