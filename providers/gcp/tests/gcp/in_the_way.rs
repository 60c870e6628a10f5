//! Whole applies that meet what is in the way: something that is not ready, is in use, or was written in
//! between (412). Google says it in its answer or, once the call was taken, in the operation. What is not
//! ready is asked again, what is to go is waited for, and what somebody else writes is told and left for the
//! next apply. Nothing is done twice, and nothing moves to the other cloud.

use std::collections::BTreeMap;

use stratiform::{ApplyOutcome, Mode};

use crate::harness::{PROJECT, ZONE};
use crate::shop::{Shop, failures};

/// What is in the way: Google's reason, its status and its sentence.
const NOT_READY: Way = Way("resourceNotReady", 400, "The resource is not ready");
const IN_USE: Way = Way(
    "resourceInUseByAnotherResource",
    400,
    "The resource is already being used by 'somebody'",
);
const CHANGED: Way = Way(
    "conditionNotMet",
    412,
    "Fingerprint either invalid or resource labels have changed",
);

#[derive(Clone, Copy)]
struct Way(&'static str, u16, &'static str);

fn text(team: &str, gib: u32, port: u16) -> String {
    format!(
        r#"
site "other" {{
  provider       = "sim"
  profile        = "aws"
  region         = "eu-west-1"
  latency_ms     = 0
  create_ms      = 0
  delete_ms      = 0
  consistency_ms = 0
}}
network "core" {{
  cidr        = "10.40.0.0/16"
  site_prefix = 20
  sites       = [site.google, site.other]
}}
subnet "app" {{
  network = network.core
  newbits = 4
}}
firewall "web" {{
  network = network.core
  ingress "http" {{
    from     = ["10.0.0.0/8"]
    protocol = "tcp"
    ports    = [{port}]
  }}
}}
machine "web" {{
  cpu       = 2
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  labels    = {{ team = "{team}" }}
  placement {{
    sites = [site.google, site.other]
    zone  = "{ZONE}"
  }}
}}
volume "data" {{
  size   = "{gib}GiB"
  attach = machine.web
}}
"#
    )
}

/// How often each method was called that changes something, since the last time.
fn writes(shop: &Shop) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for call in shop.google.gce.take_calls() {
        if call.http != "GET" && !call.id.ends_with(".wait") {
            *counted.entry(call.id).or_default() += 1;
        }
    }
    counted
}

/// Runs, with these in the way of the first calls of methods: so many in answers, and so many in operations.
async fn run(shop: &Shop, mode: Mode, ways: &[(&str, Way, u32, u32)]) -> ApplyOutcome {
    let before = ways.iter().map(|(method, ..)| *method);
    for (method, Way(reason, code, message), answers, operations) in ways {
        shop.google
            .gce
            .refuse(method, *answers, *code, reason, message);
        shop.google
            .gce
            .fail(method, *operations, *code, reason, message);
    }
    writes(shop);
    let outcome = shop.run(mode).await;
    let told = failures(&outcome);
    assert!(
        outcome.is_success(),
        "{:?}: {told:#?}",
        before.collect::<Vec<_>>()
    );
    assert!(outcome.relocations.is_empty(), "{:#?}", outcome.relocations);
    let counted = writes(shop);
    for (method, _, answers, operations) in ways {
        let count = counted.get(&format!("compute.{method}")).copied();
        // A request id whose operation failed is asked about once more: Google remembers it.
        let least = (answers + operations + 1) as usize;
        let expect = least..=least + *operations as usize;
        let is_so = count.is_some_and(|count| expect.contains(&count));
        assert!(is_so, "{method}: {counted:#?}");
    }
    outcome
}

fn paths(shop: &Shop, collection: &str) -> Vec<String> {
    shop.google.gce.paths(PROJECT, collection)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_the_way_for_a_moment_is_waited_for_and_nothing_is_done_twice() {
    let shop = Shop::new(&text("red", 20, 80)).await;
    let made = [
        ("networks.insert", NOT_READY, 1, 1),
        ("subnetworks.insert", NOT_READY, 2, 1),
        ("disks.insert", NOT_READY, 1, 1),
        ("instances.attachDisk", NOT_READY, 1, 1),
    ];
    run(&shop, Mode::Apply, &made).await;
    for collection in ["networks", "subnetworks", "instances"] {
        let there = paths(&shop, collection);
        assert_eq!(there.len(), 1, "{there:?}");
    }
    assert_eq!(paths(&shop, "disks").len(), 2, "its own and the volume");
    assert!(shop.plan().await.is_empty());

    shop.write(&text("blue", 30, 81));
    let changed = [
        ("instances.setLabels", NOT_READY, 1, 1),
        ("disks.resize", NOT_READY, 1, 1),
    ];
    run(&shop, Mode::Apply, &changed).await;
    let machine = shop.google.gce.thing(&paths(&shop, "instances")[0]);
    assert_eq!(machine.expect("a machine")["labels"]["team"], "blue");
    assert!(shop.plan().await.is_empty());

    let gone = [
        ("disks.delete", NOT_READY, 1, 1),
        ("subnetworks.delete", NOT_READY, 1, 1),
        ("networks.delete", IN_USE, 2, 1),
    ];
    run(&shop, Mode::Destroy, &gone).await;
    for collection in ["networks", "subnetworks", "firewalls", "instances", "disks"] {
        assert_eq!(paths(&shop, collection), Vec::<String>::new());
    }
}

/// What is in use, or was written in between, is told in Google's words, whether its answer says so or an
/// operation; the rest is done, and the next apply does what is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_or_writes_is_told_and_left_for_the_next_apply() {
    let shop = Shop::new(&text("red", 20, 80)).await;
    for is_operation in [false, true] {
        // Undone from the time before.
        shop.google.gce.relent();
        let team = if is_operation { "green" } else { "blue" };
        let gib = if is_operation { 40 } else { 30 };
        let stop = |method: &str, Way(reason, code, message): Way| {
            let times = u32::MAX;
            match is_operation {
                true => shop.google.gce.fail(method, times, code, reason, message),
                false => shop.google.gce.refuse(method, times, code, reason, message),
            }
        };
        stop("instances.attachDisk", IN_USE);
        let outcome = shop.run(Mode::Apply).await;
        let told = failures(&outcome);
        assert!(
            told.len() == 1 && told[0].contains("volume.data") && told[0].contains(IN_USE.2),
            "{told:#?}"
        );
        assert_eq!(paths(&shop, "instances").len(), 1, "the rest is made");
        shop.google.gce.relent();
        shop.done(Mode::Apply).await;
        assert!(shop.plan().await.is_empty());

        shop.write(&text(team, gib, 80));
        stop("instances.setLabels", CHANGED);
        stop("disks.resize", IN_USE);
        let outcome = shop.run(Mode::Apply).await;
        let told = failures(&outcome);
        assert_eq!(told.len(), 2, "{told:#?}");
        for Way(_, _, message) in [CHANGED, IN_USE] {
            assert!(told.iter().any(|one| one.contains(message)), "{told:#?}");
        }
        assert!(outcome.relocations.is_empty(), "{:#?}", outcome.relocations);
        shop.google.gce.relent();
        shop.done(Mode::Apply).await;
        assert!(shop.plan().await.is_empty());
        let machine = shop.google.gce.thing(&paths(&shop, "instances")[0]);
        assert_eq!(machine.expect("a machine")["labels"]["team"], team);
        shop.done(Mode::Destroy).await;
        shop.write(&text("red", 20, 80));
    }
}

/// Somebody else's machine in a subnet of ours: Google keeps the subnet, and it is asked again until that
/// machine is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_uses_goes_once_it_is_let_go() {
    let shop = Shop::new(&text("red", 20, 80)).await;
    shop.done(Mode::Apply).await;
    let machine = paths(&shop, "instances").remove(0);
    let theirs = shop.google.gce.copy(&machine, "theirs").expect("a copy");
    shop.google.gce.edit(&theirs, |fields| {
        fields.remove("labels");
        fields.remove("metadata");
    });
    let let_go = async {
        // Until the subnet was refused.
        loop {
            let calls = shop.google.gce.take_calls();
            let mut refused = calls.iter().filter(|call| call.status == 400);
            if refused.any(|call| call.id == "compute.subnetworks.delete") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(paths(&shop, "subnetworks").len(), 1);
        assert!(shop.google.gce.remove(&theirs));
    };
    tokio::join!(shop.done(Mode::Destroy), let_go);
    for collection in ["networks", "subnetworks", "firewalls", "instances"] {
        assert_eq!(paths(&shop, collection), Vec::<String>::new());
    }
}
