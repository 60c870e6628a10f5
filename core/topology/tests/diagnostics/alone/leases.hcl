topology "t" {
  lease {
    host     = "db.example"
    password = "hush"
  }
  lease {
    store = null
    port  = 1e400
  }
}

lease {
  store = "postgres"
}
