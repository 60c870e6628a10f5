machine "c" {
  cpu = 1
  memory = "1GiB"
}
