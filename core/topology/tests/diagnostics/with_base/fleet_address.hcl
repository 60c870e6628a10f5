output "x" {
  value = machines.fleet.private_ip
}
output "y" {
  value = network.n.id
}
output "z" {
  value = machine.many.private_ip
}
output "w" {
  value = machine.m["x"]
}
