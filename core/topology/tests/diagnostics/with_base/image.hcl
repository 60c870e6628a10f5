image "c" {
  source = "https://example.org/disk.qcow2"
}
image "d" {
  source = "missing.qcow2"
}
image "e" {
  source = "https://example.org/disk.qcow2"
  sha256 = "abc"
}
