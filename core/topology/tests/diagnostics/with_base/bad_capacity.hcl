site "c" {
  provider = "sim"
  capacity = { cpu = 0, memory = "1GiB" }
}
site "d" {
  provider = "sim"
  capacity = { cpus = 1, memory = "1GiB" }
}
site "e" {
  provider = "sim"
  capacity = { cpu = 1 }
}
site "f" {}
