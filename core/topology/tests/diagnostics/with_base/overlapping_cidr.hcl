network "c" {
  cidr = "10.0.128.0/17"
  sites = [site.a]
}
