bucket "c" {
  count = 1
  for_each = ["a"]
  site = site.a
}
