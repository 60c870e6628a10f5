bucket "c" {
  count      = 3
  site       = site.a
  depends_on = [bucket.c]
}
