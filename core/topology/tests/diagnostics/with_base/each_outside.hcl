bucket "c" {
  site = each.value
}
