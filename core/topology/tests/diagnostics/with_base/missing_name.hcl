bucket {
  site = site.a
}
