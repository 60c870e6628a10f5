# What the shop promises, tried on simulated clouds: `strat test examples/hybrid-shop`.
# The runs share one world, and go on where the one before ended.

run "the whole shop is made" {
  assert {
    condition     = plan.summary.create == 33
    error_message = "the shop is 33 things"
  }

  assert {
    condition     = length(output.web_private_ips) == var.web_count
    error_message = "each web machine has an address"
  }

  assert {
    condition     = alltrue([for one in resources : one.site == "dc1" if one.kind == "machine"])
    error_message = "our own hardware comes first"
  }
}

run "then there is nothing left to do" {
  command = plan

  assert {
    condition = length(plan.changes) == 0
  }
}

run "a machine that somebody deleted comes back" {
  disturb = ["delete-machine machines.web@dc1"]

  assert {
    condition     = plan.summary.create == 1 && plan.summary.delete == 0
    error_message = "one machine is made anew, and nothing else is touched"
  }

  assert {
    condition = length([for one in resources : one if one.addr == "machines.web@dc1"]) == 6
  }
}

run "what our hardware does not hold goes to the first cloud" {
  command = plan

  variables {
    web_count = 20
  }

  assert {
    condition     = anytrue([for one in plan.desired : one.site == "east" && one.block == "machines.web"])
    error_message = "twenty machines are more than dc1 has room for"
  }

  assert {
    condition     = plan.cost.monthly_after < 3000
    error_message = "no more than 3000 dollars a month"
  }
}

run "and to the second where the first has sold out" {
  disturb = ["stock east --left 0"]

  variables {
    web_count = 20
  }

  assert {
    condition = anytrue([for one in resources : one.site == "west" && one.kind == "machine"])
  }
}

run "a thousand are refused" {
  command         = plan
  expect_failures = ["validation"]

  variables {
    web_count = 1000
  }
}
