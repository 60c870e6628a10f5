topology "t" {
  realm = "x",
}
