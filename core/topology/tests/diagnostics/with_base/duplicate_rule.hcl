firewall "c" {
  network = network.n
  ingress "web" {
    from = ["internet"]
  }
  ingress "web" {
    from = ["internet"]
  }
}
