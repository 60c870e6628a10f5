# What the burst decides, by what its signal says: `strat test examples/burst`, in a build with bursts.

run "a quiet day needs the two that are always there" {
  burst "web" {
    demand = 150
  }

  assert {
    condition     = decision.web.want == 2 && decision.web.action == "none"
    error_message = "two machines carry 200"
  }
}

run "nine hundred need nine, and are given four at once" {
  command = plan

  burst "web" {
    demand = 900
  }

  assert {
    condition     = decision.web.need == 9
    error_message = "each machine is to carry 100"
  }

  assert {
    condition     = decision.web.want == 4 && decision.web.action == "up"
    error_message = "in one step the fleet doubles, and no more"
  }

  assert {
    condition     = sum([for step in decision.web.steps : step.count if step.site == "dc1"]) == 2
    error_message = "our own hardware, which holds four, is filled first"
  }
}

run "no machine is bought on a signal that is missing" {
  command = plan

  burst "web" {
  }

  assert {
    condition     = decision.web.want == 2
    error_message = "what is missing is not zero, and not much either"
  }
}
