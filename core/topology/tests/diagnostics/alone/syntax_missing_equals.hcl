topology "t" {
  realm "x"
}
