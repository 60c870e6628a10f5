bucket "x" {
  site   = site.a
  labels = { for n in range(41) : "k${n}" => n }
}
