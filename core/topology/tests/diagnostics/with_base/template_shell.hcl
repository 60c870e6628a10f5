machine "x" {
  cpu       = 1
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.s
  user_data = templatefile("tests/diagnostics/shell.tmpl", {})
}
