output "x" {
  value = machine.many["z"].private_ip
}
output "y" {
  value = [1, 2][2]
}
output "z" {
  value = machine.many[0]
}
