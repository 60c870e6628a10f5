firewall "c" {
  network = network.n
  ingress "a" {
    from = ["everybody"]
  }
  ingress "b" {
    from = []
  }
  ingress "c" {
    from = [machine.m]
  }
  ingress "d" {
    from = ["10.0.0.1/8"]
  }
}
