output "a" { value = path.root }
output "b" { value = terraform.workspace }
output "c" { value = data.aws_ami.x.id }
output "d" { value = aws_instance.web.id }
