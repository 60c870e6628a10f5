machin "c" {}
