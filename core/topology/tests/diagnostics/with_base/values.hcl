site "c" {
  provider = "sim"
  tenant   = 123456789012345678901234567890
}
locals {
  sides  = true ? 1 : [1]
  member = toset(["a", "b"])[0]
  mixed  = tolist([1, [2]])
  root   = pow(-8, 1 / 3)
  large  = pow(10, 9000) * pow(10, 9000)
  verb   = format("%d", 1.5)
  repeat = regex("a**", "a")
  back   = regex("(a)\\1", "aa")
  part   = cidrsubnet("10.0.0.0/16", -1, 0)
  time   = timeadd("yesterday", "1h")
  clock  = timestamp()
  old    = list(1, 2)
  stray  = core::mxa(1, 2)
  secret = templatestring(sensitive("$${x}"), {})
}
