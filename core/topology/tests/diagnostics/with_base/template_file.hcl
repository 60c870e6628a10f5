locals {
  x = templatefile("tests/diagnostics/greeting.tmpl", { name = "x" })
  y = templatefile("missing.tmpl", {})
}
