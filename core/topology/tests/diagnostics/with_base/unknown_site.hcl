bucket "c" {
  site = "c"
}
