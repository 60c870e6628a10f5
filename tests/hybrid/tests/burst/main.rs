//! A burst: owned hardware first, AWS for what it does not hold, and home again. A program makes the load, a
//! real Prometheus scrapes it, and what AWS was asked for is told by the server that stands for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use strat_aws::AwsFactory;
use strat_burst::log::{Line, Log};
use strat_burst::run::{Controller, NetHooks, Options};
use strat_burst::signals::{Prometheus, Signals, http_client};
use strat_provider::{Clock, Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, EventSink, Inputs, PlanOptions, RunOptions, Session, Stop, Workspace,
};
use tokio::time::Instant;

use crate::filter::Filter;
use crate::moto::Moto;
use crate::peers::{Load, Server};

#[expect(dead_code, reason = "the provider's own tests use more of it")]
#[path = "../../../../providers/aws/tests/aws/filter/mod.rs"]
mod filter;
#[expect(dead_code, reason = "the provider's own tests use more of it")]
#[path = "../../../../providers/aws/tests/aws/moto.rs"]
mod moto;
#[path = "../../../../burst/tests/peers/mod.rs"]
mod peers;

/// Two machines fit at home.
const SHOP: &str = r#"
topology "shop" {}
site "dc" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc"
  zones     = ["rack1"]
  capacity  = { cpu = 4, memory = "64GiB", disk = "8TiB" }
  create_ms = 200
}
site "east" {
  provider       = "aws"
  region         = "us-east-1"
  zones          = ["us-east-1a"]
  endpoint       = "ENDPOINT"
  consistency_ms = 0
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
    query = "sum(rate(http_requests_total[4s]))"
    each  = 10
  }
  down {
    after   = "3s"
    min_age = "1s"
    step    = "100%"
  }
  cost {
    hourly = "0.50 USD"
  }
}
"#;

fn workspace(path: &Path, racks: &SimFactory) -> Result<Workspace, stratiform::Error> {
    let keys = strat_s3::Credentials::new("test", "test", None, None, "tests");
    let aws = AwsFactory::with_credentials(keys);
    let registry = Registry::new().with(racks.clone()).with(aws);
    Workspace::load(path, Inputs::default(), registry)
}

async fn apply(path: &Path, racks: &SimFactory, clock: &Arc<dyn Clock>) {
    let workspace = workspace(path, racks).expect("a topology");
    let session = Session::connect_with(workspace, EventSink::none(), Arc::clone(clock));
    let session = session.await.expect("connects");
    let run = session.begin(&RunOptions::new("test")).await;
    let run = run.expect("begins");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    assert!(outcome.expect("applies").is_success());
    run.end().await.expect("ends");
}

/// Runs rounds until the fleet is so large and settled, and a round more has seen that; and says when each
/// of them was over. However slow the machine is, it gets there.
async fn until(controller: &mut Controller, ready: u32, ends: &mut Vec<Timestamp>) {
    let deadline = Instant::now() + Duration::from_secs(900);
    let mut seen = 0;
    while seen < 2 {
        let round = controller.round(&Stop::new()).await;
        ends.push(controller.clock().now());
        assert!(round.problems.is_empty(), "{:?}", round.problems);
        for (_, done) in &round.decided {
            let problems = done.iter().flat_map(|done| &done.problems);
            assert_eq!(problems.collect::<Vec<_>>(), Vec::<&String>::new());
        }
        let burst = &round.status.bursts[0];
        let settled = (burst.ready, burst.pending, burst.draining) == (ready, 0, 0);
        seen = if settled { seen + 1 } else { 0 };
        assert!(Instant::now() < deadline, "{burst:?}");
        tokio::time::sleep(round.next_in).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_is_carried_by_aws_and_comes_home_and_the_bill_is_what_ran() {
    let moto = Moto::start();
    let aws = Filter::start(moto.port).await;
    let dir = tempfile::tempdir().expect("a folder");
    let endpoint = format!("http://127.0.0.1:{}", aws.port);
    let text = SHOP.replace("ENDPOINT", &endpoint);
    std::fs::write(dir.path().join("shop.hcl"), text).expect("written");
    let (racks, clock): (_, Arc<dyn Clock>) = (SimFactory::new(), Arc::new(TokioClock::system()));
    apply(dir.path(), &racks, &clock).await;
    assert!(aws.lives().is_empty(), "all of it is at home");

    let mut load = Load::start(15);
    let prometheus = Server::start(&load.address);
    let client = http_client().expect("a client");
    let signals = Prometheus::new(&client, &prometheus.url, None).expect("an address");
    let signals = Signals::new(Some(signals), client.clone(), Default::default());
    let path: PathBuf = dir.path().to_owned();
    let mut controller = Controller::new(Options {
        interval: Some(Duration::from_secs(1)),
        load: Box::new(move || workspace(&path, &racks)),
        clock,
        signals: Arc::new(signals),
        hooks: Arc::new(NetHooks::new(client)),
        health: None,
        events: EventSink::none(),
        observers: Vec::new(),
        holder: None,
    })
    .expect("a controller");
    let mut ends = Vec::new();
    load.set(35);
    until(&mut controller, 4, &mut ends).await;
    load.set(15);
    until(&mut controller, 2, &mut ends).await;
    controller.end().await;

    // What AWS was ever asked for is ended.
    let lives = aws.lives();
    assert!(lives.len() >= 2, "{lives:?}");
    let lives: Vec<(String, Timestamp, Timestamp)> = lives
        .into_iter()
        .map(|(id, (from, until))| {
            let until = until.unwrap_or_else(|| panic!("{id} was never ended"));
            (id, from, until)
        })
        .collect();
    check_bill(&dir.path().join(".stratiform"), &lives, &ends);
}

/// What was said to be spent is what ran, each from its launch to its end, within a hundredth; and nothing
/// was bought above the budget. A machine's end is between AWS's answer and the end of the round that asked.
fn check_bill(state: &Path, lives: &[(String, Timestamp, Timestamp)], ends: &[Timestamp]) {
    let mut decided = Vec::new();
    Log::of(state, "web")
        .each(|line| {
            if let Line::Decided(one) = line {
                decided.push(one.record);
            }
        })
        .expect("read");
    for record in &decided {
        record.replay().expect("the same");
        assert!(record.decision.cost.hour_after <= Decimal::new(50, 2));
    }
    let price = |id: &str| {
        let mut machines = decided.iter().flat_map(|one| &one.inputs.machines);
        let machine = machines.find(|machine| machine.id == format!("east/{id}"));
        machine.map_or_else(|| panic!("{id} was never seen"), |one| one.place.usd_hour)
    };
    let cost = |usd_hour: Decimal, from: &Timestamp, until: &Timestamp| {
        let ran_ms = i64::try_from(until.duration_since(*from).as_millis()).expect("a time");
        usd_hour * Decimal::from(ran_ms) / Decimal::from(3_600_000)
    };
    let (mut least, mut most) = (Decimal::ZERO, Decimal::ZERO);
    for (id, from, until) in lives {
        let price = price(id);
        assert!(price > Decimal::ZERO, "{id} costs nothing");
        let over = ends
            .iter()
            .find(|end| *end >= until)
            .expect("a round's end");
        least += cost(price, from, until);
        most += cost(price, from, over);
    }
    let said = decided.last().expect("one").inputs.spent.month_to_date;
    let (least, most) = (least * Decimal::new(99, 2), most * Decimal::new(101, 2));
    assert!(
        least <= said && said <= most,
        "{said} is said, and it was from {least} to {most}"
    );
}
