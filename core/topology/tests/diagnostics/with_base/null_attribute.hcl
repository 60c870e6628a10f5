bucket "c" {
  site = null
}
