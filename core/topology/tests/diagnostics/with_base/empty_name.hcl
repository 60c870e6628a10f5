bucket "" {
  site = site.a
}
