topology "t" {
  realm =
}
