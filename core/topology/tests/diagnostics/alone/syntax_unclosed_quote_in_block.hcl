topology "t" {}

machine "m" {
  image = "debian-12
}
