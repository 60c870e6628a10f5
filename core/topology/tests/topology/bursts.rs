//! The `burst` block.

use strat_model::burst::{
    BurstClass, BurstIntent, BurstPolicy, Cron, ForecastMode, LostThen, Missing, Overdue, Queue,
    Signal, SignalKind, Step, Survive, WaitGoal, WindowStart,
};

use crate::support::{codes, evaluate};

const BASE: &str = r#"
topology "shop" {}
site "dc" { provider = "sim" }
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.dc]
}
subnet "app" {
  network = network.core
  newbits = 4
}
machines "web" {
  for_each = ["eu", "us"]
  count    = 3
  cpu      = 2
  memory   = "4GiB"
  image    = "debian-12"
  subnet   = subnet.app
}
locals { carries = 120 }
"#;

fn bursts(text: &str) -> Result<Vec<BurstIntent>, String> {
    let whole = format!("{BASE}{text}");
    let evaluated = evaluate(&[("t.hcl", whole.as_str())]);
    let evaluated = evaluated.map_err(|found| codes(&found).join(" "))?;
    Ok(evaluated.intent.bursts)
}

#[test]
fn five_lines_are_enough() {
    let found = bursts(
        r#"
burst "web" {
  fleet  = machines.web["eu"]
  demand = "sum(rate(http_requests_total[1m]))"
  each   = local.carries
  max    = 60
}
"#,
    );
    let burst = found.expect("sound").remove(0);
    assert_eq!(burst.fleet.to_string(), "machines.web[\"eu\"]");
    assert!(burst.origin.is_some());
    let mut wanted = BurstPolicy::new("web", 3, 60);
    let query = "sum(rate(http_requests_total[1m]))";
    wanted.signals = vec![Signal::new(
        "demand",
        query,
        SignalKind::Demand { each: 120.0 },
    )];
    assert_eq!(burst.policy, wanted);
}

#[test]
fn all_that_can_be_said_is_read() {
    let found = bursts(
        r#"
burst "pay" {
  fleet     = machines.web["us"]
  max       = 60
  class     = "batch"
  priority  = -5
  tolerance = "5%"

  demand "rps" {
    query   = "q"
    each    = 120
    stale   = "90s"
    sane    = [0, 50000]
    missing = "max"
    hold    = "30m"
  }
  utilisation "cpu" {
    query   = "q"
    target  = 0.65
    missing = 12
  }
  wait "auth" {
    arrivals    = "sum(rate(auth_total[1m]))"
    service     = "45ms"
    slots       = 8
    queue       = "random"
    within      = "200ms"
    share       = 0.99
    variability = 1.5
    patience    = "10s"
  }
  backlog "jobs" {
    length   = "q"
    rate     = 2.5
    drain_in = "10m"
  }
  window "sale" {
    from = "2026-11-10T22:00"
    for  = "28h"
    tz   = "Asia/Shanghai"
    min  = 40
  }
  window "work" {
    from = "30 6 * * mon-fri"
    for  = "16h"
    tz   = "Europe/Prague"
    min  = 10
  }
  forecast {
    of       = "rps"
    seasons  = ["7d"]
    quantile = 0.95
    mode     = "tell"
  }
  up {
    step  = "50%"
    after = "30s"
  }
  down {
    step    = 4
    after   = "20m"
    at_once = 2
    min_age = "1h"
  }
  drain {
    http     = "http://{ip}:9000/drain"
    deadline = "10m"
    overdue  = "delete"
  }
  cost {
    hourly  = "25 USD"
    monthly = "3000 USD"
    payback = "4h"
  }
  lost {
    after = "5m"
    then  = "replace"
  }
}
"#,
    );
    let policy = found.expect("sound").remove(0).policy;
    assert_eq!((policy.min, policy.max, policy.priority), (3, 60, -5));
    assert_eq!(
        (policy.class, policy.tolerance_percent),
        (BurstClass::Batch, 5)
    );
    let [rps, cpu, auth, jobs] = &policy.signals[..] else {
        panic!("four signals");
    };
    assert_eq!(
        (rps.stale_s, rps.hold_s, rps.sane),
        (90, 1800, Some((0.0, 50000.0)))
    );
    assert_eq!(
        (rps.missing, cpu.missing),
        (Missing::Max, Missing::Machines(12))
    );
    assert_eq!(cpu.means, SignalKind::Utilisation { target: 0.65 });
    let goal = WaitGoal {
        service_s: 0.045,
        slots: 8,
        queue: Queue::Random,
        within_s: 0.2,
        share: 0.99,
        variability: 1.5,
        patience_s: Some(10.0),
    };
    assert_eq!(auth.means, SignalKind::Wait(goal));
    assert_eq!(auth.query, "sum(rate(auth_total[1m]))");
    let backlog = SignalKind::Backlog {
        rate: 2.5,
        drain_in_s: 600,
    };
    assert_eq!(jobs.means, backlog);
    let [sale, work] = &policy.windows[..] else {
        panic!("two windows");
    };
    let at = "2026-11-10T22:00".parse().expect("a local time");
    assert_eq!(
        (&sale.from, sale.for_s, sale.min),
        (&WindowStart::At(at), 28 * 3600, 40)
    );
    assert_eq!(sale.tz.as_str(), "Asia/Shanghai");
    let line = Cron::parse("30 6 * * mon-fri").expect("a line");
    assert_eq!(work.from, WindowStart::Cron(line));
    let forecast = policy.forecast.expect("a forecast");
    assert_eq!(
        (forecast.seasons_s, forecast.mode),
        (vec![7 * 86_400], ForecastMode::Tell)
    );
    assert_eq!((policy.up.step, policy.up.after_s), (Step::Percent(50), 30));
    let down = policy.down;
    assert_eq!(
        (down.step, down.after_s, down.at_once, down.min_age_s),
        (Step::Machines(4), 1200, 2, 3600)
    );
    assert_eq!(
        (policy.drain.deadline_s, policy.drain.overdue),
        (600, Overdue::Delete)
    );
    assert_eq!(policy.drain.http.as_deref(), Some("http://{ip}:9000/drain"));
    let usd = |money: Option<strat_model::Money>| money.map(|money| money.to_string());
    assert_eq!(usd(policy.cost.hourly).as_deref(), Some("25 USD"));
    assert_eq!(
        (usd(policy.cost.monthly).as_deref(), policy.cost.payback_s),
        (Some("3000 USD"), 14_400)
    );
    assert_eq!(
        (policy.lost.after_s, policy.lost.then),
        (300, LostThen::Replace)
    );
}

#[test]
fn yaml_says_the_same() {
    let yaml = "
burst:
  web:
    fleet: '${machines.web[\"eu\"]}'
    demand: q
    each: 120
    max: 60
    window:
      night: { from: '0 22 * * *', for: 8h, tz: UTC, min: 5 }
  api:
    fleet: '${machines.web[\"us\"]}'
    max: 60
    demand:
      rps: { query: q, each: 120, sane: [0, 10] }
";
    let hcl = bursts(
        r#"
burst "web" {
  fleet  = machines.web["eu"]
  demand = "q"
  each   = 120
  max    = 60
  window "night" {
    from = "0 22 * * *"
    for  = "8h"
    tz   = "UTC"
    min  = 5
  }
}
burst "api" {
  fleet = machines.web["us"]
  max   = 60
  demand "rps" {
    query = "q"
    each  = 120
    sane  = [0, 10]
  }
}
"#,
    );
    let both = evaluate(&[("t.hcl", BASE), ("b.strat.yaml", yaml)]);
    let both = both.expect("sound").intent.bursts;
    let policies = |bursts: Vec<BurstIntent>| -> Vec<_> {
        bursts
            .into_iter()
            .map(|burst| (burst.fleet, burst.policy))
            .collect()
    };
    assert_eq!(policies(both), policies(hcl.expect("sound")));
}

#[test]
fn a_fleet_has_one_burst_that_can_hold_it() {
    let burst = |name: &str, fleet: &str, max: u32| {
        format!(
            "burst \"{name}\" {{\n fleet = machines.{fleet}\n max = {max}\n demand = \"q\"\n each = 1\n}}\n"
        )
    };
    let two = burst("a", "web[\"eu\"]", 60) + &burst("b", "web[\"eu\"]", 60);
    assert_eq!(bursts(&two), Err("two_bursts".to_owned()));
    assert_eq!(
        bursts(&burst("a", "web[\"eu\"]", 2)),
        Err("bad_max".to_owned())
    );
    assert_eq!(bursts(&burst("a", "web", 60)), Err("wrong_type".to_owned()));
    let surviving = r#"
machines "api" {
  count  = 3
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement { survive = 1 }
}
"#;
    let held = surviving.to_owned() + &burst("a", "api", 6);
    let survive = bursts(&held).expect("sound")[0].policy.survive;
    assert_eq!(
        survive,
        Some(Survive::Zone),
        "the fleet is at one site only"
    );
    let held = surviving.to_owned() + &burst("a", "api", 5);
    assert_eq!(bursts(&held), Err("bad_max".to_owned()));
}

/// What a machine carries is measured of one demand, with one signal of how busy the machines are.
#[test]
fn what_a_machine_carries_can_be_measured() {
    let with = |each: &str, rest: &str| {
        bursts(&format!(
            "burst \"a\" {{\n fleet = machines.web[\"eu\"]\n max = 9\n demand = \"q\"\n each = {each}\n{rest}\n}}\n"
        ))
    };
    let busy =
        |name: &str| format!("utilisation \"{name}\" {{\n query = \"q\"\n target = 0.7\n}}\n");
    let measured = "\"measured\"";
    let found = with(measured, &busy("cpu")).expect("sound");
    assert_eq!(found[0].policy.signals[0].means, SignalKind::Measured);
    let forecast = busy("cpu") + "forecast {\n of = \"demand\"\n}\n";
    let found = with(measured, &forecast).expect("sound");
    assert!(found[0].policy.forecast.is_some());
    let second = "demand \"b\" {\n query = \"q\"\n each = \"measured\"\n}\n";
    for rest in ["", &(busy("cpu") + &busy("disk")), &(busy("cpu") + second)] {
        assert_eq!(
            with(measured, rest),
            Err("not_measurable".to_owned()),
            "{rest}"
        );
    }
    assert_eq!(
        with("\"guessed\"", &busy("cpu")),
        Err("wrong_type".to_owned())
    );
}

/// A query is for Prometheus, an address, or a program; a drain is one of two.
#[test]
fn what_is_asked_is_checked_as_far_as_it_can_be() {
    let with = |query: &str, drain: &str| {
        let text = format!(
            "burst \"a\" {{\n fleet = machines.web[\"eu\"]\n max = 9\n demand = {query:?}\n each = 1\n{drain}\n}}\n"
        );
        bursts(&text).map(|found| found[0].policy.clone())
    };
    for query in [
        "sum(rate(http_requests_total[1m]))",
        "exec:rate:sum",
        "https://queue.internal:8443/stats#/queues/0/ready",
        "http://[::1]:9000/depth",
        "exec /usr/local/bin/depth --queue mail",
    ] {
        let policy = with(query, "").expect(query);
        assert_eq!(policy.signals[0].query, query);
    }
    for query in [
        "https://",
        "http://queue/with space",
        "https://me:secret@queue/depth",
        "https://queue/stats#ready",
    ] {
        let why = with(query, "").expect_err(query);
        assert!(why == "bad_query", "{query}: {why}");
    }
    let drain = |line: &str| format!(" drain {{\n {line}\n }}");
    let policy = with("q", &drain("command = \"/usr/local/bin/drain {ip} {id}\""));
    let command = policy.expect("sound").drain.command;
    assert_eq!(command.as_deref(), Some("/usr/local/bin/drain {ip} {id}"));
    for line in [
        "command = \"/usr/local/bin/drain\"",
        "command = \"{ip}\"",
        "command = \"drain {name}\"",
        "command = \"drain {ip}\"\n http = \"http://{ip}/drain\"",
    ] {
        assert_eq!(
            with("q", &drain(line)),
            Err("bad_hook".to_owned()),
            "{line}"
        );
    }
}
