topology "t" {
  realm = "x"

site "a" {
  provider = "sim"
}
