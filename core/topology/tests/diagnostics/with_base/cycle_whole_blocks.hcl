bucket "c" {
  count      = 3
  site       = site.a
  depends_on = [bucket.d]
}
bucket "d" {
  for_each   = toset(["x", "y"])
  site       = site.a
  depends_on = [bucket.e, bucket.c[1]]
}
bucket "e" {
  count = 2
  site  = site.a
}
