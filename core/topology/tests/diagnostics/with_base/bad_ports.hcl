firewall "c" {
  network = network.n
  ingress "a" {
    from = ["internet"]
    ports = [0]
  }
  ingress "b" {
    from = ["internet"]
    ports = ["90-80"]
  }
  ingress "c" {
    from = ["internet"]
    ports = [70000]
  }
  ingress "d" {
    from = ["internet"]
    protocol = "icmp"
    ports = [1]
  }
  ingress "e" {
    from = ["internet"]
    protocol = "http"
  }
}
