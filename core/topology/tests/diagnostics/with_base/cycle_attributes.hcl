bucket "c" {
  site = site.a
  versioning = bucket.d.versioning
}
bucket "d" {
  site = site.a
  versioning = bucket.c.versioning
}
