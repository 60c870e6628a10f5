//! libvirtd killed in the middle of an apply: nothing is lost, nothing is there twice, and the
//! next apply finishes the work.
//!
//! It is killed at points, not at moments: libvirt calls a hook, or runs a program, in the middle of
//! what it does, and that kills it (`write_points` in `scripts/peers/libvirt`).

use crate::support;
use std::collections::BTreeSet;

use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, ResourceState, SiteSpec};

pub(crate) const COUNT: usize = 4;

/// Where libvirt starts a subnet, and what it has not made yet when it is killed there: anything;
/// the address and all that follows; the DHCP server; nothing, but it is not written down.
const SUBNET_POINTS: [(&str, &str); 4] = [
    ("network:start", ""),
    (
        "network:started",
        "pkill -f dnsmasq/lab-; ip link set $(cd /sys/class/net && echo st-*) down",
    ),
    ("network:started", "pkill -f dnsmasq/lab-"),
    ("network:started", ""),
];

/// Where it makes a machine: a disk's file, before and after; before a guest's process, and when it
/// runs. And where it ends one: when its process has ended, and when all of it is given back.
const MACHINE_POINTS: [(&str, &str); 4] = [
    ("before:qemu-img", "qemu:stopped"),
    ("after:qemu-img", "qemu:release"),
    ("qemu:prepare", "qemu:stopped"),
    ("qemu:started", "qemu:release"),
];

const SUBNET: &str = r#"
network "core" {
  cidr  = "10.91.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
"#;

/// A fleet behind a firewall, and two volumes.
pub(crate) fn blocks(count: usize) -> String {
    format!(
        r##"{SUBNET}
firewall "web" {{
  network = network.core
  ingress "http" {{
    from     = [firewall.web]
    protocol = "tcp"
    ports    = [80]
  }}
}}
machines "web" {{
  count     = {count}
  cpu       = 1
  memory    = "64MiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  user_data = "#!/bin/sh\ntrue\n"
  placement {{
    sites = [site.dc1]
  }}
}}
volume "data" {{
  count = 2
  size  = "64MiB"
  site  = site.dc1
}}
"##
    )
}

/// What lies in the host's pool, without the documents and the lease.
pub(crate) fn files(host: &Peer) -> BTreeSet<String> {
    let folder = host.path("lib/images/stratiform");
    let names = std::fs::read_dir(folder)
        .expect("the pool")
        .map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".json") && !name.starts_with("lease-"))
        .collect()
}

/// Applies while libvirtd is killed at a point, then again, which finds nothing left to do.
async fn apply_killed_at(
    (point, command): (&str, &str),
    host: &Peer,
    topology: &Topology,
    blocks: &str,
) {
    host.kill_at(point, command);
    // It may get over it by itself, or not; either is well.
    drop(topology.try_apply(blocks).await);
    assert!(host.was_killed(), "libvirtd came to {point}");
    topology.apply(blocks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_that_a_killed_libvirtd_left_half_made_is_made_whole() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let topology = Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }");
    let clean = host.bridges();
    assert_eq!(clean, (Vec::new(), 0));
    for point in SUBNET_POINTS {
        apply_killed_at(point, host, &topology, SUBNET).await;
        let (names, servers) = host.bridges();
        assert_eq!((names.len(), servers), (1, 1), "{point:?}: {names:?}");
        topology.apply("").await;
        assert_eq!(host.bridges(), clean, "{point:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_libvirtd_loses_and_doubles_nothing() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let site = support::site(&[host], false, serde_json::json!({}));
    let topology = Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }");
    let clean = files(host);
    for (point, end) in MACHINE_POINTS {
        apply_killed_at((point, ""), host, &topology, &blocks(COUNT)).await;
        check_machines(point, host, &topology, &site, clean.clone()).await;
        apply_killed_at((end, ""), host, &topology, &blocks(0)).await;
        assert!(topology.list(&site, Kind::Machine).await.is_empty());
    }
    topology.apply("").await;
    assert_eq!(files(host), clean);
}

/// The machines are there once each, and nothing else is.
pub(crate) async fn check_machines(
    point: &str,
    host: &Peer,
    topology: &Topology,
    site: &SiteSpec,
    mut wanted: BTreeSet<String>,
) {
    let machines = topology.list(site, Kind::Machine).await;
    assert_eq!(machines.len(), COUNT, "{point}");
    assert!(
        machines
            .iter()
            .all(|machine| machine.state == ResourceState::Ready)
    );
    let ips: BTreeSet<_> = machines
        .iter()
        .map(|machine| machine.attributes["private_ip"].clone())
        .collect();
    assert_eq!(ips.len(), COUNT, "each has an address of its own");
    for machine in &machines {
        wanted.extend(["disk0", "seed"].map(|part| format!("{}.{part}", machine.name)));
    }
    for volume in topology.list(site, Kind::Volume).await {
        wanted.insert(format!("{}.volume", volume.name));
    }
    assert_eq!(files(host), wanted, "nothing lies about that is nobody's");
    let domains = host
        .connect()
        .list_all_domains(0)
        .expect("the domains")
        .len();
    assert_eq!(domains, COUNT + 1, "ours and the foreign one");
}
