//! libvirtd killed in the middle of an apply: nothing is lost, nothing is there twice, and the
//! next apply finishes the work.

use crate::support;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, ResourceState};

const COUNT: usize = 4;

fn blocks(count: usize) -> String {
    format!(
        r##"
network "core" {{
  cidr  = "10.91.0.0/16"
  sites = [site.dc1]
}}
subnet "app" {{
  network = network.core
  newbits = 8
}}
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

/// What lies in the host's pool, without the documents.
fn files(host: &Peer) -> BTreeSet<String> {
    let folder = host.path("lib/images/stratiform");
    let names = std::fs::read_dir(folder)
        .expect("the pool")
        .map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".json"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_libvirtd_loses_and_doubles_nothing() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let site = support::site(&[host], false, serde_json::json!({}));
    let topology = Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }");
    let clean = files(host);
    for after_ms in [300, 900, 1700] {
        let killed = async {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            host.kill_libvirtd();
            tokio::time::sleep(Duration::from_millis(400)).await;
            host.release();
        };
        let (blocks_up, blocks_down) = (blocks(COUNT), blocks(0));
        let (applied, ()) = tokio::join!(topology.try_apply(&blocks_up), killed);
        // It may have got over it by itself, or not; either is well.
        drop(applied);
        topology.apply(&blocks_up).await;

        let machines = topology.list(&site, Kind::Machine).await;
        assert_eq!(machines.len(), COUNT, "killed after {after_ms} ms");
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
        let mut wanted = clean.clone();
        for machine in &machines {
            wanted.extend(["disk0", "seed"].map(|part| format!("{}.{part}", machine.name)));
        }
        for volume in topology.list(&site, Kind::Volume).await {
            wanted.insert(format!("{}.volume", volume.name));
        }
        assert_eq!(files(host), wanted, "nothing lies about that is nobody's");
        let domains = host
            .connect()
            .list_all_domains(0)
            .expect("the domains")
            .len();
        assert_eq!(domains, COUNT + 1, "ours and the foreign one");

        topology.apply(&blocks_down).await;
        assert!(topology.list(&site, Kind::Machine).await.is_empty());
    }
}
