//! Hosts that let whoever asks look at nothing, or write nothing: that is told, and nothing is made, changed or
//! deleted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::ownership::{OURS, things};
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

const IMAGES: &str = "images = { debian-12 = \"debian-12.img\" }";

const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.97.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
firewall "db" {
  network = network.core
  ingress "sql" {
    from  = ["10.0.0.0/8"]
    ports = [5432]
  }
}
keypair "ops" { public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P" }
machine "db" {
  cpu       = 1
  memory    = "64MiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.db]
}
volume "data" {
  size   = "64MiB"
  attach = machine.db
}
"#;

/// What the hosts of a site are, of these URIs.
fn hosts(uris: &[String]) -> String {
    let one = |(index, uri): (usize, &String)| {
        format!("{{ name = \"kvm{}\", uri = \"{uri}\" }}", index + 1)
    };
    let all: Vec<_> = uris.iter().enumerate().map(one).collect();
    format!("rack1 = [{}]", all.join(", "))
}

/// What stands in a topology that is asked for, and whether all is forgotten before.
type Case = (&'static str, bool);

/// Whatever is asked for, known or not: nothing becomes of it, and each answer says why.
async fn nothing_happens(topology: &Topology, host: &Peer, why: &str, cases: &[Case]) {
    let before = things(host, topology).await;
    assert_eq!(before.len(), 4, "{before:#?}");
    for (blocks, forgotten) in cases {
        if *forgotten {
            topology.forget();
        }
        match topology.try_plan(blocks).await {
            Ok((changes, withheld)) => {
                assert!(changes.is_empty(), "{forgotten}: {changes:#?}");
                let told = withheld.iter().any(|line| line.contains(why));
                assert!(told, "{forgotten}: {withheld:#?}");
            }
            Err(error) => assert!(error.contains(why), "{forgotten}: {error}"),
        }
        let applied = topology.try_apply(blocks).await;
        let told = match &applied {
            Ok(failures) => failures.join("\n"),
            Err(error) => format!("{error:?}"),
        };
        assert!(told.contains(why) || applied.is_ok(), "{forgotten}: {told}");
        let after = things(host, topology).await;
        assert_eq!(after, before, "{forgotten}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_changes_nothing_and_is_told_so() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let mut topology = Topology::new(&[host], IMAGES).with_head(OURS);
    topology.apply(BLOCKS).await;
    topology.set_hosts(&hosts(&[host
        .uri()
        .replace("libvirt-sock", "libvirt-sock-ro")]));
    let cases = [(BLOCKS, false), ("", false), (BLOCKS, true)];
    nothing_happens(&topology, host, "VIR_ERR_OPERATION_DENIED", &cases).await;
    topology.set_hosts(&hosts(&[host.uri()]));
    topology.apply(BLOCKS).await;
    topology.apply("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_refuses_the_connection_is_left_as_it_is_and_told() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let mut topology = Topology::new(&[host], IMAGES).with_head(OURS);
    topology.apply(BLOCKS).await;
    // Root is let in whatever the folder says; nobody is not.
    let folder = host.path("run");
    let open = fs::metadata(&folder).expect("the folder").permissions();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("it is shut");
    topology.set_hosts(&hosts(&[host.uri_as("nobody")]));
    nothing_happens(&topology, host, "Permission denied", &[("", false)]).await;
    // The other host of a rack answers: what is on the first is left as it is all the same.
    topology.set_hosts(&hosts(&[host.uri_as("nobody"), pair.hosts()[1].uri()]));
    nothing_happens(&topology, host, "kvm1", &[(BLOCKS, true)]).await;
    fs::set_permissions(&folder, open).expect("it is open again");
    topology.set_hosts(&hosts(&[host.uri()]));
    topology.apply(BLOCKS).await;
    topology.apply("").await;
}
