topology "t {
  realm = "x"
}
