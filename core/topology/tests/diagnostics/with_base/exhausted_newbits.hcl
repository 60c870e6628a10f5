subnet "c" {
  network = network.n
  newbits = 9
}
