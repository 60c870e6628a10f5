//! Two things at one address, what was restored or copied past Stratiform, and a site that is another one
//! than the topology says.

use serde_json::json;
use strat_model::{Kind, Resource};
use virt::connect::Connect;

use super::ownership::{BLOCKS, OURS, definition, things};
use crate::support;
use crate::support::lab::host_of;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

const IMAGES: &str = "images = { debian-12 = \"debian-12.img\" }";

/// A definition without what would be used twice, under another UUID if one is given.
fn clone_of(connection: &Connect, machine: &Resource, name: &str, new_uuid: bool) -> String {
    let xml = definition(connection, machine);
    let (head, rest) = xml.split_once("<devices>").expect("devices");
    let (_, tail) = rest.split_once("</devices>").expect("their end");
    let (_, uuid) = machine
        .id
        .as_str()
        .split_once('/')
        .expect("a host and a UUID");
    let clone = format!("{head}{tail}").replacen(&machine.name, name, 1);
    match new_uuid {
        true => clone.replace(&format!("<uuid>{uuid}</uuid>"), ""),
        false => clone,
    }
}

async fn machines(topology: &Topology, hosts: &[&Peer]) -> Vec<String> {
    let site = support::site(hosts, false, json!({}));
    let found = topology.list(&site, Kind::Machine).await;
    found.into_iter().map(|one| one.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_is_defined_on_two_hosts_is_touched_on_neither() {
    let pair = Pair::take();
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let topology = Topology::new(&hosts, IMAGES).with_head(OURS);
    topology.apply(BLOCKS).await;
    let site = support::site(&hosts, false, json!({}));
    let original = topology.list(&site, Kind::Machine).await.remove(0);
    let on = usize::from(host_of(&original) == "kvm2");
    let xml = clone_of(&hosts[on].connect(), &original, &original.name, false);
    let connection = hosts[1 - on].connect();
    let copy = connection.define_domain_xml(&xml).expect("a copy");
    let before = machines(&topology, &hosts).await;
    assert_eq!(before.len(), 2, "{before:?}");
    for forgotten in [false, true] {
        if forgotten {
            topology.forget();
        }
        for blocks in [BLOCKS, ""] {
            let (_, withheld) = topology.plan(blocks).await;
            let told = |line: &String| before.iter().all(|id| line.contains(id));
            assert!(withheld.iter().any(told), "{forgotten}: {withheld:#?}");
            let failures = topology.try_apply(blocks).await.expect("it is applied");
            let after = machines(&topology, &hosts).await;
            assert_eq!(after, before, "{forgotten}: {failures:#?}");
        }
    }
    copy.undefine().expect("it goes");
    topology.apply(BLOCKS).await;
    topology.apply("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_guests_that_nothing_but_a_mark_speaks_for_neither_is_touched() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let topology = Topology::new(&[host], IMAGES).with_head(OURS);
    topology.apply(BLOCKS).await;
    let site = support::site(&[host], false, json!({}));
    let original = topology.list(&site, Kind::Machine).await.remove(0);
    let connection = host.connect();
    // Somebody cloned the guest twice and took the original away.
    let clones = ["one", "two"].map(|name| {
        let xml = clone_of(&connection, &original, name, true);
        connection.define_domain_xml(&xml).expect("a clone")
    });
    let (_, uuid) = original.id.as_str().split_once('/').expect("a UUID");
    let domain = connection.lookup_domain_by_uuid_string(uuid);
    let domain = domain.expect("the original");
    let backup = definition(&connection, &original);
    domain.destroy().expect("it is cut");
    domain.undefine().expect("it goes");
    let before = machines(&topology, &[host]).await;
    assert_eq!(before.len(), 2, "{before:?}");
    for forgotten in [false, true] {
        if forgotten {
            topology.forget();
        }
        let (changes, withheld) = topology.plan(BLOCKS).await;
        let of_db = |line: &String| line.contains("machine.db");
        assert!(!changes.iter().any(of_db), "{forgotten}: {changes:#?}");
        for id in &before {
            let told = withheld.iter().any(|line| line.contains(id.as_str()));
            assert!(told, "{forgotten} {id}: {withheld:#?}");
        }
        let failures = topology.try_apply(BLOCKS).await.expect("it is applied");
        let after = machines(&topology, &[host]).await;
        assert_eq!(after, before, "{forgotten}: {failures:#?}");
    }
    for clone in clones {
        clone.undefine().expect("it goes");
    }
    // Defined again as it was, it is the machine again, and not a new one.
    connection.define_domain_xml(&backup).expect("restored");
    topology.apply(BLOCKS).await;
    let after = machines(&topology, &[host]).await;
    assert_eq!(after, [original.id.to_string()]);
    topology.apply("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_was_copied_with_its_document_is_not_the_volume() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let topology = Topology::new(&[host], IMAGES).with_head(OURS);
    topology.apply(BLOCKS).await;
    let before = things(host, &topology).await;
    let volume = before.values().find(|one| one.kind() == Kind::Volume);
    let name = volume.expect("a volume").name.clone();
    let folder = host.path("lib/images/stratiform");
    let mut copies = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the pool's folder") {
        let entry = entry.expect("a file");
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = file.strip_prefix(&format!("{name}.volume")) else {
            continue;
        };
        let copy = folder.join(format!("copy.volume{rest}"));
        std::fs::copy(entry.path(), &copy).expect("copied");
        copies.push(copy);
    }
    assert!(copies.len() >= 2, "its data and its document: {copies:?}");
    let pool = host.connect().lookup_storage_pool_by_name("stratiform");
    let pool = pool.expect("the pool");
    pool.refresh(0).expect("it looks");
    for forgotten in [false, true] {
        if forgotten {
            topology.forget();
        }
        topology.apply(BLOCKS).await;
        let after = things(host, &topology).await;
        assert!(before.keys().eq(after.keys()), "{forgotten}: {after:#?}");
    }
    topology.apply("").await;
    assert!(things(host, &topology).await.is_empty());
    for copy in copies {
        assert!(copy.exists(), "{copy:?} is somebody else's");
        std::fs::remove_file(copy).expect("it goes");
    }
    pool.refresh(0).expect("it looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_of_other_hosts_than_the_topology_says_is_refused() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let right = Topology::new(&[host], IMAGES).with_head(OURS);
    right.apply(BLOCKS).await;
    let before = things(host, &right).await;
    let settings = format!("{IMAGES}\naccount = \"somewhere-else\"");
    let wrong = Topology::new(&[host], &settings).with_head(OURS);
    for blocks in [BLOCKS, ""] {
        let error = wrong.try_apply(blocks).await.expect_err("other hosts");
        assert!(error.to_string().contains("somewhere-else"), "{error}");
        let after = things(host, &right).await;
        assert!(before.keys().eq(after.keys()), "{after:#?}");
    }
    // Its own name is no other one.
    let name = host.connect().hostname().expect("a name");
    let settings = format!("{IMAGES}\naccount = \"{name}\"");
    let pinned = Topology::new(&[host], &settings).with_head(OURS);
    pinned.apply(BLOCKS).await;
    pinned.apply("").await;
}
