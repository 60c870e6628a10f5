network "c" {
  cidr = "10.9.0.0/16"
  sites = []
}
network "d" {
  cidr = "10.8.0.0/16"
  site_prefix = 20
  sites = [site.a, site.a]
}
