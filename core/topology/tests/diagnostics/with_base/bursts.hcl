burst "nothing" {
  fleet = machines.fleet
  max   = 60
}

burst "bare" {}

burst "half" {
  fleet  = machines.fleet
  max    = 60
  demand = "sum(rate(http_requests_total[1m]))"
}

burst "numbers" {
  fleet     = machines.fleet
  max       = 1
  tolerance = "tenth"
  class     = "offline"

  demand "rps" {
    query   = ""
    each    = 0
    sane    = [10, 1]
    missing = "never"
    stale   = "soon"
  }
  demand "rps" {
    query = "q"
    each  = "measured"
  }
  utilisation "cpu" {
    query  = "q"
    target = 70
  }
  wait "calls" {
    arrivals = "q"
    service  = "0ms"
    within   = "200ms"
    share    = 1
  }
  up {
    step = "0%"
  }
  drain {
    http = "drain it"
  }
}

burst "times" {
  fleet  = machines.fleet
  max    = 60
  demand = "q"
  each   = 10

  window "never" {
    from = "0 0 30 2 *"
    for  = "1h"
    tz   = "Europe/Pragu"
    min  = 61
  }
  window "same" {
    from = "31 * * * *"
    for  = "0s"
    tz   = "UTC"
    min  = 3
  }
}

burst "unforeseen" {
  fleet  = machines.fleet
  max    = 60
  demand = "q"
  each   = 10

  forecast {
    of       = "rps"
    quantile = 1.5
  }
}

burst "nobody" {
  fleet  = machine.m
  max    = 60
  demand = "q"
  each   = 10
}
