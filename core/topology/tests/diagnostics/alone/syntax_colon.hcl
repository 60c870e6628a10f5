topology "t" {
  realm: "x"
}
