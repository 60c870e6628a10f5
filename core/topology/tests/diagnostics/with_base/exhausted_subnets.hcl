subnet "c" {
  network = network.other
  newbits = 0
}
subnet "d" {
  network = network.other
  newbits = 4
}
