//! A real Prometheus scrapes a program that makes load, and drives the controller over simulated sites in
//! real time.

mod peers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use peers::{Load, Server};

use jiff::SignedDuration;
use strat_burst::log::{Line, Log};
use strat_burst::run::{Controller, NetHooks, Options};
use strat_burst::signals::{Measure, Prometheus, Secret, Signals, http_client};
use strat_burst_policy::{Inputs, Machine, Place, Policy, Reading, State, decide};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Signal, SignalKind};
use strat_sim::SimFactory;
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs as Given, PlanOptions, RunOptions, Session, Stop, Workspace,
};
use tokio::time::Instant;

const SHOP: &str = r#"
topology "shop" {}
site "dc" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc"
  zones     = ["rack1"]
  capacity  = { cpu = 6, memory = "64GiB", disk = "8TiB" }
  create_ms = 200
}
site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 1500
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
    sites  = [site.dc, site.east]
    prefer = "owned"
  }
}
burst "web" {
  fleet = machines.web
  max   = 6
  demand "rps" {
    query = "sum(rate(http_requests_total[8s]))"
    each  = 10
  }
  down {
    after   = "3s"
    min_age = "1s"
    step    = "100%"
  }
}
"#;

fn workspace(path: &Path, factory: &SimFactory) -> Result<Workspace, stratiform::Error> {
    Workspace::load(
        path,
        Given::default(),
        Registry::new().with(factory.clone()),
    )
}

async fn applied(path: &Path, factory: &SimFactory, clock: &Arc<dyn Clock>) {
    let workspace = workspace(path, factory).expect("a topology");
    let session = Session::connect_with(workspace, EventSink::none(), Arc::clone(clock));
    let session = session.await.expect("connects");
    let run = session
        .begin(&RunOptions::new("test"))
        .await
        .expect("begins");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    assert!(outcome.expect("applies").is_success());
    run.end().await.expect("ends");
}

/// Runs rounds until the fleet is so large and settled, and says by which sizes it went.
async fn until(controller: &mut Controller, ready: u32, sizes: &mut Vec<u32>) {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let round = controller.round(&Stop::new()).await;
        assert!(round.problems.is_empty(), "{:?}", round.problems);
        let burst = &round.status.bursts[0];
        if sizes.last() != Some(&burst.ready) {
            sizes.push(burst.ready);
        }
        if (burst.ready, burst.pending, burst.draining) == (ready, 0, 0) {
            return;
        }
        assert!(Instant::now() < deadline, "{burst:?}");
        tokio::time::sleep(round.next_in).await;
    }
}

#[tokio::test]
async fn prometheus_drives_the_fleet_up_and_home_again() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("shop.hcl"), SHOP).expect("written");
    let (factory, clock): (_, Arc<dyn Clock>) = (SimFactory::new(), Arc::new(TokioClock::system()));
    applied(dir.path(), &factory, &clock).await;
    let mut load = Load::start(15);
    let server = Server::start(&load.address);
    let client = http_client().expect("a client");
    let prometheus = Prometheus::new(&client, &server.url, None).expect("an address");
    let signals = Signals::new(Some(prometheus), client.clone(), Default::default());
    let path: PathBuf = dir.path().to_owned();
    let mut controller = Controller::new(Options {
        interval: Some(Duration::from_secs(1)),
        load: Box::new(move || workspace(&path, &factory)),
        clock,
        signals: Arc::new(signals),
        hooks: Arc::new(NetHooks::new(client)),
        health: None,
        events: EventSink::none(),
        observers: Vec::new(),
        holder: None,
    })
    .expect("a controller");
    let mut sizes = Vec::new();
    until(&mut controller, 2, &mut sizes).await;
    load.set(35);
    until(&mut controller, 4, &mut sizes).await;
    load.set(15);
    until(&mut controller, 2, &mut sizes).await;
    controller.end().await;
    // Up once and down once, by whatever steps: no flapping.
    let top = sizes.iter().position(|size| *size == 4).expect("the top");
    assert!(sizes[..=top].is_sorted(), "{sizes:?}");
    assert!(sizes[top..].is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let log = Log::of(&dir.path().join(".stratiform"), "web");
    let mut records = 0;
    log.each(|line| {
        if let Line::Decided(decided) = line {
            decided.record.replay().expect("the same");
            records += 1;
        }
    })
    .expect("read");
    assert!(records > 5, "{records}");
}

/// What a query can give: one number, or a reason why not. None of it is zero, and no reason has the
/// token in it.
#[tokio::test]
async fn a_query_gives_one_number_or_a_reason() {
    let load = Load::start(10);
    let server = Server::start(&load.address);
    let client = http_client().expect("a client");
    let token = Secret::new("t0psecret");
    let prometheus = Prometheus::new(&client, &server.url, Some(&token)).expect("an address");
    let signals = Signals::new(Some(prometheus), client, Default::default());
    let now = TokioClock::system().now();
    let ask = async |query: &str| {
        let signal = Signal::new("rps", query, SignalKind::Demand { each: 1.0 });
        signals.measure("web", &signal, now).await
    };
    assert_eq!(
        ask("vector(12.5)").await.sample.value,
        Reading::Number(12.5)
    );
    assert_eq!(
        ask("scalar(vector(3))").await.sample.value,
        Reading::Number(3.0)
    );
    assert_eq!(
        ask("vector(0) / vector(0)").await.sample.value,
        Reading::NotANumber
    );
    // And at each step of the past.
    let constant = Signal::new("rps", "vector(12.5)", SignalKind::Demand { each: 1.0 });
    let past = signals.history(&constant, 60, 12_000, now).await.values;
    assert!(past.len() == 12_000 && past.iter().all(|value| *value == Some(12.5)));
    for (query, says) in [
        ("no_such_metric", "gives no series"),
        ("sum(rate(", "parse error"),
        (
            "vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")",
            "gives 2 series",
        ),
        ("up[5m]", "gives ranges"),
    ] {
        let measured = ask(query).await;
        assert_eq!(measured.sample.value, Reading::Nothing, "{query}");
        let why = measured.why.expect("a reason");
        assert!(
            why.contains(says) && !why.contains("t0psecret"),
            "{query}: {why}"
        );
    }
    drop(server);
    let measured = ask("vector(1)").await;
    assert_eq!(measured.sample.value, Reading::Nothing);
    assert!(measured.why.is_some_and(|why| !why.contains("t0psecret")));
}

/// kedacore/keda 1850: the service that gave the number could not be reached, and what followed it was
/// scaled to 0. A connection that is refused is no number, and takes nothing away.
#[tokio::test]
async fn keda_1850_a_service_that_refuses_the_connection_says_nothing() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let query = format!(
        "http://{}/replicas#/current",
        free.local_addr().expect("it")
    );
    drop(free);
    let signal = Signal::new("replicas", query, SignalKind::Demand { each: 1.0 });
    let signals = Signals::new(None, http_client().expect("a client"), Default::default());
    let mut inputs = Inputs::new("2026-11-30T08:00:00Z".parse().expect("a time"));
    let mut settings = BurstPolicy::new("web", 0, 8);
    settings.signals = vec![signal.clone()];
    let policy = Policy::new(settings).expect("possible");
    for number in 0..5 {
        inputs.machines.push(Machine {
            id: format!("dc/{number}"),
            place: Place {
                site: "dc".to_owned(),
                zone: "rack1".to_owned(),
                machine_type: "m".to_owned(),
                capacity: CapacityKind::Owned,
                usd_hour: Default::default(),
                billed_s: 1,
            },
            state: State::Ready { warm: true },
            made: inputs.at - SignedDuration::from_hours(24),
            healthy: true,
            reclaimed: false,
        });
    }
    for _ in 0..3 * 60 {
        let measured = signals.measure("web", &signal, inputs.at).await;
        assert_eq!(measured.sample.value, Reading::Nothing);
        assert!(measured.why.is_some_and(|why| !why.is_empty()));
        inputs.signals.insert(signal.name.clone(), measured.sample);
        let decision = decide(&policy, &inputs);
        assert_eq!((decision.want, &decision.steps[..]), (5, &[][..]));
        assert_eq!(decision.alarms.len(), 1);
        let mut history = std::mem::take(&mut inputs.history);
        history.note(&policy, &inputs, &decision);
        inputs.history = history;
        inputs.at += SignedDuration::from_mins(1);
    }
}
