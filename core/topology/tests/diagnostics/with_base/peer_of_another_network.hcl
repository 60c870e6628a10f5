firewall "c" {
  network = network.n
  ingress "e" {
    from = [firewall.elsewhere]
  }
}
