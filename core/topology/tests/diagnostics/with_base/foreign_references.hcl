output "a" { value = path.module }
output "b" { value = terraform.workspace }
output "c" { value = data.aws_ami.x.id }
output "d" { value = aws_instance.web.id }
