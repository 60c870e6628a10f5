locals {
  x = "list: ${[1, 2]}, machine: ${machine.m}"
  y = "a ${machine.m.cpu}"
}
