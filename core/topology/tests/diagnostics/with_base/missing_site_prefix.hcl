network "c" {
  cidr = "10.9.0.0/16"
  sites = [site.a, site.b]
}
