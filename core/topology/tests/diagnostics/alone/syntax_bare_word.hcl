topology "t" {
  realm
}
