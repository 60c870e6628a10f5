volume "c" {
  size = "10"
  site = site.a
}
volume "d" {
  size = "ten GiB"
  site = site.a
}
volume "e" {
  size = "0GiB"
  site = site.a
}
