topology "t" {}
}
