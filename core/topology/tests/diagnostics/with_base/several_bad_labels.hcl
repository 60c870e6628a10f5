bucket "x" {
  site   = site.a
  labels = { Env = "x", role = "a b", "1" = "x" }
}
