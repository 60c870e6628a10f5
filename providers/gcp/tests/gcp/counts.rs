//! How many calls it takes to see, and to make.

use std::collections::BTreeMap;

use strat_conformance::Bench;
use strat_model::Kind;
use strat_provider::{Filter, ProviderExt as _};
use stratiform::Mode;

use crate::harness::{Google, PROJECT, REGION};
use crate::once::machine;
use crate::shop::Shop;

/// The calls since the last time, by method.
fn calls(google: &Google) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for call in google.gce.take_calls() {
        *counted.entry(call.id).or_default() += 1;
    }
    counted
}

/// Everything that a plan looks at, and the calls that it took.
async fn observe(google: &Google, bench: &Bench<'_>) -> (usize, BTreeMap<String, usize>) {
    let filter = Filter::Owner(bench.owner());
    calls(google);
    let mut seen = 0;
    for kind in Kind::ALL {
        let list = bench.provider.list_all(kind, &filter).await;
        seen += list.expect("a list").len();
    }
    (seen, calls(google))
}

const LIST: &str = "compute.instances.aggregatedList";

#[tokio::test]
async fn seeing_many_machines_costs_their_pages_and_a_constant() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 1, "first")
        .await
        .expect("a machine");
    let (few, before) = observe(&google, &bench).await;
    for batch in 0..11 {
        let made = bench
            .create_batch(&spec, 50, &format!("fleet{batch}"))
            .await;
        assert_eq!(made.expect("a fleet").created.len(), 50);
    }
    let (many, after) = observe(&google, &bench).await;
    assert_eq!(many, few + 550);
    let total = |calls: &BTreeMap<String, usize>| calls.values().sum::<usize>();
    assert_eq!(
        (before[LIST], after[LIST]),
        (1, 2),
        "a page holds 500: {after:?}"
    );
    assert_eq!(total(&after) - after[LIST], total(&before) - before[LIST]);
    assert!(total(&after) <= 14, "{after:?}");
}

#[tokio::test]
async fn a_fleet_goes_up_in_one_call_and_a_constant() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    let mut costs = Vec::new();
    for (count, word) in [(2, "few"), (50, "many")] {
        calls(&google);
        let made = bench
            .create_batch(&spec, count, word)
            .await
            .expect("a fleet");
        assert_eq!(made.created.len(), count as usize);
        let took = calls(&google);
        assert_eq!(took["compute.instances.bulkInsert"], 1, "{took:?}");
        costs.push(took.values().sum::<usize>());
    }
    assert!(costs[1] <= costs[0] && costs[0] <= 6, "{costs:?}");
}

/// A page holds 500: what there is one of takes one, what there is 501 of takes two, and everything else
/// stays as it was, but the notes of networks and subnets, which come with each page.
#[tokio::test]
async fn seeing_costs_the_pages_of_each_kind_and_a_constant() {
    let google = Google::start().await;
    for metric in ["NETWORKS", "SUBNETWORKS", "FIREWALLS"] {
        google.gce.set_quota("", metric, 10_000.0);
    }
    google.gce.set_quota(REGION, "STATIC_ADDRESSES", 10_000.0);
    let bench = Bench::new(&google).await;
    let filter = Filter::Owner(bench.owner());
    for (kind, list) in [
        (Kind::Network, "compute.networks.list"),
        (Kind::Subnet, "compute.subnetworks.list"),
        (Kind::Firewall, "compute.firewalls.list"),
        (Kind::Address, "compute.addresses.list"),
        (Kind::Volume, "compute.disks.aggregatedList"),
    ] {
        let spec = bench.spec(kind).await;
        let made = bench.create(&spec, &format!("counted-{kind}")).await;
        let name = made
            .id
            .as_str()
            .rsplit('/')
            .next()
            .expect("a name")
            .to_owned();
        let collection = list.split('.').nth(1).expect("a collection");
        let paths = google.gce.paths(PROJECT, collection);
        let path = paths
            .iter()
            .find(|path| path.ends_with(&format!("/{name}")));
        let path = path.expect("it is there").clone();
        calls(&google);
        let few = bench
            .provider
            .list_all(kind, &filter)
            .await
            .expect("a list")
            .len();
        let before = calls(&google);
        for number in 0..500 {
            let copied = google.gce.copy(&path, &format!("{kind}-{number}"));
            copied.expect("a copy");
        }
        let many = bench
            .provider
            .list_all(kind, &filter)
            .await
            .expect("a list")
            .len();
        assert_eq!(many, few + 500, "{kind}");
        let after = calls(&google);
        assert_eq!((before[list], after[list]), (1, 2), "{kind}: {after:?}");
        let beside = |calls: &BTreeMap<String, usize>| {
            let others = calls.iter().filter(|(id, _)| *id != list);
            others.map(|(_, count)| count).sum::<usize>()
        };
        let notes = matches!(kind, Kind::Network | Kind::Subnet);
        let most = beside(&before) + usize::from(notes);
        assert_eq!(beside(&after), most, "{kind}: {before:?} {after:?}");
    }
}

/// What docs/gcp.md tells of: a network, two subnets, three firewalls, a hundred machines in three zones.
const HUNDRED: &str = r#"
network "core" {
  cidr  = "10.0.0.0/16"
  sites = [site.google]
}
subnet "app" {
  network = network.core
  newbits = 4
}
subnet "data" {
  network = network.core
  newbits = 4
}
firewall "web" {
  network = network.core
  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80, 443]
  }
}
firewall "app" {
  network = network.core
  ingress "web" {
    from     = [firewall.web]
    protocol = "tcp"
    ports    = [8080]
  }
}
firewall "db" {
  network = network.core
  ingress "app" {
    from     = [firewall.app]
    protocol = "tcp"
    ports    = [5432]
  }
}
machines "web" {
  count        = 100
  machine_type = "e2-small"
  image        = "debian-12"
  subnet       = subnet.app
  firewalls    = [firewall.web]
  placement { spread = "zone" }
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_machines_are_planned_made_and_planned_again_in_so_many_calls() {
    let shop = Shop::new(HUNDRED).await;
    // But for leases, which are renewed by the time that it takes.
    let took = || -> (usize, BTreeMap<String, usize>) {
        let mut took = calls(&shop.google);
        took.retain(|method, _| !method.starts_with("storage.objects"));
        (took.values().sum(), took)
    };
    shop.plan().await;
    let first = took();
    shop.done(Mode::Apply).await;
    let apply = took();
    assert_eq!(shop.google.gce.paths(PROJECT, "instances").len(), 100);
    assert!(shop.plan().await.is_empty());
    let again = took();
    let counts = [&first, &apply, &again].map(|(count, _)| *count);
    let most = [34, 120, 34];
    let is_within = counts.iter().zip(most).all(|(count, most)| *count <= most);
    assert!(is_within, "{counts:?} {first:#?} {apply:#?} {again:#?}");
}
