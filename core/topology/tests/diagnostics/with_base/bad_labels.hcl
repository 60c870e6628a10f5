bucket "c" {
  site = site.a
  labels = { "" = "x" }
}
bucket "d" {
  site = site.a
  labels = { role = "x\ny" }
}
bucket "e" {
  site = site.a
  labels = { role = [1] }
}
bucket "f" {
  site = site.a
  labels = "x"
}
bucket "g" {
  site = site.a
  labels = { "stratiform:owner" = "me" }
}
bucket "h" {
  site = site.a
  ignore_changes = ["labels", "verzioning"]
}
