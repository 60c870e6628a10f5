volume "x" {
  size   = "1GiB"
  attach = machines.fleet
}

output "x" { value = machines.fleet[0].private_ip }
