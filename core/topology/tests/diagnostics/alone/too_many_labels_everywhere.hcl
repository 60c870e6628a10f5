topology "t" {
  labels = { for n in range(41) : "k${n}" => n }
}

site "a" {
  provider = "sim"
}

bucket "x" {
  site = site.a
}
