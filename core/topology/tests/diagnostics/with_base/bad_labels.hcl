bucket "c" {
  site = site.a
  labels = { Role = "x" }
}
bucket "d" {
  site = site.a
  labels = { role = "x y" }
}
bucket "e" {
  site = site.a
  labels = { role = [1] }
}
bucket "f" {
  site = site.a
  labels = "x"
}
