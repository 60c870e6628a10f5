bucket "c" {
  for_each = 3
  site = site.a
}
bucket "d" {
  for_each = [1]
  site = site.a
}
bucket "e" {
  for_each = ["a", "a"]
  site = site.a
}
