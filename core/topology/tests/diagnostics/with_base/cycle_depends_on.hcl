bucket "c" {
  site = site.a
  depends_on = [bucket.d]
}
bucket "d" {
  site = site.a
  depends_on = [bucket.c]
}
