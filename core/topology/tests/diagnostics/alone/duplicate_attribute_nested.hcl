topology "t" {
  labels = {
    realm = 1
  }
  realm = "a"
  realm = "b"
}
