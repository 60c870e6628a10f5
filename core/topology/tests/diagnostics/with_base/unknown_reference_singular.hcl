output "x" {
  value = machine.fleet.cpu
}
