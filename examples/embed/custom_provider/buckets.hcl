# Two buckets in the provider of `custom_provider`.

topology "archive" {}

site "here" {
  provider = "folders"
}

bucket "photos" {
  site       = site.here
  versioning = true
}

bucket "letters" {
  site = site.here
}
