keypair "c" {
  public_key = "ssh-ed25519 nonsense"
}
keypair "d" {
  public_key = "-----BEGIN OPENSSH PRIVATE KEY-----"
}
keypair "e" {
  public_key = "AAAAC3NzaC1lZDI1NTE5AAAAIMxfrI"
}
keypair "f" {
  public_key = "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIMxfrI+Bu8nPAupzfnRCccjZiZZSM4z5fn+BcrV2JcIo"
}
