bucket "c" {
  site = site.a
  for_each = bucket.c
}
