//! What a controller of bursts says of itself and records, with every setting and every kind of step.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use strat_burst::log::{Line, Log};
use strat_burst::pause::Pause;
use strat_burst::run::{Controller, Drained, Hook, Hooks, Notice, Options};
use strat_burst::signals::{Measure, Measured, Past};
use strat_sim::SimFactory;
use stratiform::model::burst::{Signal, SignalKind};
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, PlanOptions, RunOptions, Session, Stop, Workspace,
};

use crate::strict::{assert_holds, assert_refused, validator};

const SHOP: &str = r#"
topology "shop" {}
site "dc" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc"
  zones     = ["rack1"]
  capacity  = { cpu = 8, memory = "64GiB", disk = "8TiB" }
  create_ms = 1000
}
site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 1000
}
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc, site.east]
}
subnet "app" {
  network = network.core
  newbits = 3
}
machines "web" {
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {
    sites   = [site.dc, site.east]
    prefer  = "owned"
    survive = 1
  }
}
machines "jobs" {
  count  = 1
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {
    sites  = [site.dc, site.east]
    prefer = "owned"
  }
}
burst "web" {
  fleet    = machines.web
  max      = 12
  priority = 10
  demand "rps" {
    query = "q"
    each  = "measured"
    sane  = [0, 50000]
  }
  utilisation "cpu" {
    query   = "q"
    target  = 0.7
    missing = 3
  }
  wait "auth" {
    arrivals = "q"
    service  = "45ms"
    slots    = 8
    within   = "200ms"
    patience = "10s"
    missing  = "max"
  }
  backlog "mail" {
    length   = "q"
    rate     = 2
    drain_in = "10m"
  }
  window "sale" {
    from = "2026-11-30T08:00"
    for  = "1h"
    tz   = "UTC"
    min  = 3
  }
  window "work" {
    from = "30 6 * * 1-5"
    for  = "1h"
    tz   = "Europe/Prague"
    min  = 3
  }
  forecast {
    of      = "rps"
    seasons = ["1h"]
  }
  up {
    step = 3
  }
  down {
    after   = "1m"
    min_age = "1m"
    step    = "100%"
  }
  drain {
    http     = "http://{ip}:9000/drain"
    deadline = "2m"
    overdue  = "delete"
  }
  cost {
    hourly  = "25 USD"
    monthly = "3000 USD"
  }
  lost {
    then = "replace"
  }
}
burst "jobs" {
  fleet  = machines.jobs
  max    = 4
  class  = "batch"
  demand = "q"
  each   = 100
  drain {
    http     = "http://{ip}:9000/drain"
    deadline = "5m"
  }
}
"#;

/// A load that is there, or not.
#[derive(Debug)]
struct Load(AtomicBool);

#[async_trait]
impl Measure for Load {
    async fn measure(&self, _burst: &str, signal: &Signal, now: Timestamp) -> Measured {
        let high = self.0.load(Ordering::SeqCst);
        match (&signal.means, high) {
            (SignalKind::Demand { .. } | SignalKind::Measured, true) => Measured::of(600.0, now),
            (SignalKind::Utilisation { .. }, true) => Measured::of(0.9, now),
            (SignalKind::Wait(_), _) => Measured::of(10.0, now),
            (SignalKind::Backlog { .. }, true) => Measured::of(f64::NAN, now),
            (_, false) => Measured::nothing(now, "nobody answers"),
        }
    }

    async fn history(&self, _: &Signal, _: u64, steps: usize, _: Timestamp) -> Past {
        let values = vec![Some(500.0); steps];
        Past { values, why: None }
    }
}

/// Has something to do until it was asked a few times.
#[derive(Debug, Default)]
struct Busy(AtomicUsize);

#[async_trait]
impl Hooks for Busy {
    async fn drain(&self, _: &Hook) -> Drained {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0..4 => Drained::Working,
            _ => Drained::Yes,
        }
    }

    async fn notice(&self, _: &str) -> Notice {
        Notice::None
    }
}

fn workspace(path: &Path, factory: &SimFactory) -> Result<Workspace, stratiform::Error> {
    let registry = Registry::new().with(factory.clone());
    Workspace::load(path, Inputs::default(), registry)
}

async fn apply(path: &Path, factory: &SimFactory, clock: &Arc<dyn Clock>) {
    let workspace = workspace(path, factory).unwrap_or_else(|error| panic!("{error:#?}"));
    let session = Session::connect_with(workspace, EventSink::none(), Arc::clone(clock));
    let session = session.await.expect("connects");
    let run = session.begin(&RunOptions::new("test")).await;
    let run = run.expect("begins");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    assert!(outcome.expect("applies").is_success());
    run.end().await.expect("ends");
}

/// The statuses and decisions of some rounds: up, paused, without values, and down.
async fn documents() -> (Vec<Value>, Vec<Value>) {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("shop.hcl"), SHOP).expect("written");
    let start: Timestamp = "2026-11-30T08:00:00Z".parse().expect("a time");
    let (factory, clock): (_, Arc<dyn Clock>) =
        (SimFactory::new(), Arc::new(TokioClock::starting_at(start)));
    apply(dir.path(), &factory, &clock).await;
    let load = Arc::new(Load(AtomicBool::new(true)));
    let (path, racks) = (dir.path().to_owned(), factory.clone());
    let mut controller = Controller::new(Options {
        interval: Some(Duration::from_secs(60)),
        load: Box::new(move || workspace(&path, &racks)),
        clock: Arc::clone(&clock),
        signals: Arc::clone(&load) as Arc<dyn Measure>,
        hooks: Arc::new(Busy::default()),
        health: None,
        events: EventSink::none(),
        observers: Vec::new(),
        holder: None,
    })
    .expect("a controller");
    let state = dir.path().join(".stratiform");
    let mut statuses = Vec::new();
    for round in 0..100 {
        if round == 8 {
            load.0.store(false, Ordering::SeqCst);
            let pause = Pause {
                since: clock.now(),
                by: "ops@host".to_owned(),
                why: None,
            };
            pause.begin(&state).expect("written");
        }
        if round == 10 {
            Pause::end(&state).expect("ended");
        }
        let done = controller.round(&Stop::new()).await;
        statuses.push(json!(done.status));
        clock.sleep(done.next_in).await;
    }
    let text = std::fs::read(state.join("burst/status.json")).expect("a status");
    statuses.push(serde_json::from_slice(&text).expect("JSON"));
    let mut decisions = Vec::new();
    for burst in ["web", "jobs"] {
        Log::of(&state, burst)
            .each(|line| {
                if let Line::Decided(one) = line {
                    decisions.push(json!(one.record));
                }
            })
            .expect("read");
    }
    (statuses, decisions)
}

#[tokio::test(start_paused = true)]
async fn what_a_controller_says_and_records() {
    let (statuses, decisions) = documents().await;
    let status = validator("burst-status");
    for one in &statuses {
        assert_holds(&status, one);
    }
    let decision = validator("burst-decision");
    for one in &decisions {
        assert_holds(&decision, one);
    }
    // Nothing that a schema speaks of is left untried.
    let all = decisions
        .iter()
        .map(ToString::to_string)
        .collect::<String>();
    for word in [
        r#""op":"create""#,
        r#""op":"preempt""#,
        r#""op":"drain""#,
        r#""op":"release""#,
        r#""state":"ok""#,
        r#""state":"missing""#,
        r#""state":"nan""#,
        r#""carried":{""#,
        r#""survive":"site""#,
        r#""expected":{""#,
        r#""giving_way":"2026"#,
        r#""paused":true"#,
    ] {
        assert!(all.contains(word), "no decision has {word}");
    }
    let said = statuses.iter().map(ToString::to_string).collect::<String>();
    assert!(said.contains(r#""by":"ops@host""#) && said.contains(r#""holder":""#));

    let spoilt = |field: &str, value: Value| {
        let what = format!("{field} as {value}");
        assert_refused(&status, &statuses[0], &what, |one| {
            one[field] = value.clone();
        });
    };
    spoilt("format_version", json!(2));
    spoilt("at", json!("yesterday"));
    spoilt("leading", json!("yes"));
    spoilt("bursts", json!([{ "name": "web" }]));
    spoilt("surprise", json!(1));
    let spoilt = |pointer: &str, value: Value| {
        let what = format!("{pointer} as {value}");
        let up = decisions.iter().find(|one| one["action"] == "up");
        assert_refused(&decision, up.expect("one"), &what, |one| {
            *one.pointer_mut(pointer).expect(pointer) = value.clone();
        });
    };
    spoilt("/id", json!("XYZ"));
    spoilt("/inputs_digest", json!("short"));
    spoilt("/action", json!("sideways"));
    spoilt("/steps/0/op", json!("explode"));
    spoilt("/steps/0/usd_hour", json!("dear"));
    spoilt("/inputs/at", json!("now"));
    spoilt("/inputs/machines/0/state", json!("gone"));
    spoilt("/settings/signals/0/means/kind", json!("guessed"));
    spoilt("/cost/month_to_date", json!("much"));
}
