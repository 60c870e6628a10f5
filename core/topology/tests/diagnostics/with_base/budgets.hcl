budget "nothing" {
  monthly = null
}

budget "bare" {
  monthly = "500"
}

budget "foreign" {
  monthly = "500 EUR"
}

budget "nowhere" {
  monthly = "500 USD"
  sites   = [site.nowhere]
}

budget "missing" {
}
