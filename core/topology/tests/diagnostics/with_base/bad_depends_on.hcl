bucket "c" {
  site = site.a
  depends_on = [site.a]
}
