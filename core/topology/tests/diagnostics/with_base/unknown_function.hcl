locals {
  x = jsonencod(1)
  y = timestamp()
}
