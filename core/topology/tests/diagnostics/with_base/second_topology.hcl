topology "u" {}
