//! How a topology's machines lie on a site of two racks with two hosts each.

use std::collections::{BTreeMap, BTreeSet};

use crate::support;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, Resource};

/// What each host may use, in MiB: the foreign machine there takes 64 of it.
const ROOM: u64 = 2048;

const NETWORK: &str = r#"
network "core" {
  cidr  = "10.99.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
"#;

/// A fleet of so many members, over both racks.
fn fleet(count: u32) -> String {
    format!(
        r#"
machines "web" {{
  count  = {count}
  cpu    = 1
  memory = "128MiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {{
    sites  = [site.dc1]
    spread = "zone"
  }}
}}
"#
    )
}

/// A machine of so many MiB, in the first rack.
fn machine(name: &str, mib: u32) -> String {
    format!(
        r#"
machine "{name}" {{
  cpu    = 1
  memory = "{mib}MiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {{
    sites = [site.dc1]
    zone  = "rack1"
  }}
}}
"#
    )
}

/// The hosts of the machines whose address begins so.
fn hosts(machines: &[Resource], addr: &str) -> Vec<String> {
    let of = |machine: &&Resource| {
        let mark = machine.mark.as_ref();
        mark.is_some_and(|mark| mark.addr.to_string().starts_with(addr))
    };
    let host = |machine: &Resource| machine.attributes["host"].clone();
    machines.iter().filter(of).map(host).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fleets_spread_and_other_machines_pack() {
    // The only test that holds two pairs, so none waits for the other's second.
    let pairs = [Pair::take(), Pair::take()];
    let racks = pairs
        .each_ref()
        .map(|pair| pair.hosts().each_ref().map(Peer::uri));
    let memory = pairs[0].hosts()[0].connect().node_info();
    let memory = memory.expect("its size").memory << 10;
    let settings = format!(
        "images  = {{ debian-12 = \"debian-12.img\" }}\n  reserve = \"{}B\"",
        memory - (ROOM << 20)
    );
    let topology = Topology::of(&[("rack1", &racks[0]), ("rack2", &racks[1])], &settings);
    let site = support::site_of(&racks.concat(), false, serde_json::json!({}));

    // Four members: two in each rack, and no two on a host.
    topology.apply(&format!("{NETWORK}{}", fleet(4))).await;
    let machines = topology.list(&site, Kind::Machine).await;
    let everywhere: Vec<_> = (1..=4).map(|n| format!("kvm{n}")).collect();
    let mut on = hosts(&machines, "machines.web");
    on.sort();
    assert_eq!(on, everywhere);

    // Machines that are no fleet lie close, so that a host stays free for a large one.
    let small = format!("{}{}", machine("db", 512), machine("cache", 512));
    topology
        .apply(&format!("{NETWORK}{}{small}", fleet(4)))
        .await;
    let machines = topology.list(&site, Kind::Machine).await;
    let (db, cache) = (
        hosts(&machines, "machine.db"),
        hosts(&machines, "machine.cache"),
    );
    assert_eq!((db.len(), &db), (1, &cache), "both on one host of the rack");
    let large = format!("{small}{}", machine("large", 1400));
    topology
        .apply(&format!("{NETWORK}{}{large}", fleet(4)))
        .await;
    let machines = topology.list(&site, Kind::Machine).await;
    let on_large = hosts(&machines, "machine.large");
    assert_eq!(on_large.len(), 1);
    assert_ne!(on_large, db, "the other host of the rack had room for it");

    // There is no room for a second one in that rack, and nothing else moves for it.
    let before: BTreeMap<_, _> = machines
        .iter()
        .map(|m| (&m.id, &m.attributes["host"]))
        .collect();
    let second = format!("{large}{}", machine("second", 1400));
    let failures = topology
        .try_apply(&format!("{NETWORK}{}{second}", fleet(4)))
        .await
        .expect("a report");
    assert!(
        failures
            .iter()
            .any(|failure| failure.contains("no host of rack1 has room")),
        "{failures:?}"
    );
    let machines = topology.list(&site, Kind::Machine).await;
    let after: BTreeMap<_, _> = machines
        .iter()
        .map(|m| (&m.id, &m.attributes["host"]))
        .collect();
    assert_eq!(after, before);

    // Members that come back go where none is.
    topology
        .apply(&format!("{NETWORK}{}{large}", fleet(2)))
        .await;
    topology
        .apply(&format!("{NETWORK}{}{large}", fleet(4)))
        .await;
    let machines = topology.list(&site, Kind::Machine).await;
    let on: BTreeSet<_> = hosts(&machines, "machines.web").into_iter().collect();
    assert_eq!(on.len(), 4, "a member on each host: {on:?}");

    topology.apply("").await;
}
