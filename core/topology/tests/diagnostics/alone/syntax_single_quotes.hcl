topology "t" {
  realm = 'x'
}
