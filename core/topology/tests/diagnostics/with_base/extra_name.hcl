bucket "a" "b" {
  site = site.a
}
