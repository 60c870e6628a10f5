bucket "x" {
  site   = site.a
  labels = { "" = "x", role = "a\nb", "stratiform:spec" = "x" }
}
