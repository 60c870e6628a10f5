# Two buckets in the provider of `custom_provider`.

topology "archive" {
  lineage = "x7f2k9b4q1m6z8ta"
}

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
