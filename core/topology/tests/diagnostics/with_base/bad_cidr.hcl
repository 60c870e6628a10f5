network "c" {
  cidr = "10.9.0.1/16"
  sites = [site.a]
}
network "d" {
  cidr = "10.9.0.0"
  sites = [site.a]
}
