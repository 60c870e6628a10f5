topology "t" {
  realm = "\q"
}
