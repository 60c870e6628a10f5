//! Whose a thing is, under libvirt: what lost its mark, a clone with the mark, and another topology of
//! the name.

use std::collections::BTreeMap;

use serde_json::json;
use strat_model::{Kind, Resource};
use stratiform::Claims;
use virt::connect::Connect;
use virt::sys;

use crate::support;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

pub(crate) const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.94.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
machine "db" {
  cpu    = 1
  memory = "64MiB"
  image  = "debian-12"
  subnet = subnet.app
}
volume "data" {
  size   = "64MiB"
  attach = machine.db
}
"#;

pub(crate) const OURS: &str = "lineage = \"aaaaaaaaaaaaaaaa\"";

fn topology(host: &Peer, head: &'static str) -> Topology {
    Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }").with_head(head)
}

const KINDS: [Kind; 4] = [Kind::Network, Kind::Subnet, Kind::Machine, Kind::Volume];

/// All that there is of the topology's, by id.
pub(crate) async fn things(host: &Peer, topology: &Topology) -> BTreeMap<String, Resource> {
    let site = support::site(&[host], false, json!({}));
    let mut things = BTreeMap::new();
    for kind in KINDS {
        let found = topology.list(&site, kind).await;
        things.extend(
            found
                .into_iter()
                .map(|one| (format!("{kind} {}", one.id), one)),
        );
    }
    things
}

fn without_metadata(xml: &str) -> String {
    let (before, rest) = xml.split_once("<metadata>").expect("metadata");
    let (_, after) = rest.split_once("</metadata>").expect("its end");
    format!("{before}{after}")
}

pub(crate) fn definition(connection: &Connect, machine: &Resource) -> String {
    let (_, uuid) = machine
        .id
        .as_str()
        .split_once('/')
        .expect("a host and a UUID");
    let domain = connection
        .lookup_domain_by_uuid_string(uuid)
        .expect("the domain");
    domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE).expect("XML")
}

/// Takes a thing's mark off, as somebody does who tidies up.
fn strip(connection: &Connect, thing: &Resource) {
    match thing.kind() {
        Kind::Machine => {
            let xml = without_metadata(&definition(connection, thing));
            connection.define_domain_xml(&xml).expect("defined");
        }
        Kind::Volume => {
            let pool = connection
                .lookup_storage_pool_by_name("stratiform")
                .expect("the pool");
            for name in pool.list_volumes().expect("its volumes") {
                if name.starts_with(&format!("{}.volume.", thing.name)) {
                    let document = pool.lookup_storage_vol_by_name(&name).expect("a document");
                    document.delete(0).expect("deleted");
                }
            }
        }
        _ => {
            let network = connection.lookup_network_by_name(thing.id.as_str());
            let xml = network
                .expect("the network")
                .xml_desc(sys::VIR_NETWORK_XML_INACTIVE);
            let xml = without_metadata(&xml.expect("XML"));
            connection.define_network_xml(&xml).expect("defined");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_its_mark_is_withheld_and_given_back() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let connection = host.connect();
    let topology = topology(host, OURS);
    topology.apply(BLOCKS).await;
    let before: Vec<_> = things(host, &topology).await.into_keys().collect();
    for (key, thing) in things(host, &topology).await {
        for forgotten in [false, true] {
            strip(&connection, &thing);
            if forgotten {
                topology.forget();
            }
            let (changes, withheld) = topology.plan(BLOCKS).await;
            assert!(changes.is_empty(), "{key} {forgotten}: {changes:#?}");
            let told = format!("{} is still there, but its mark is gone", thing.id);
            let is_told = withheld.iter().any(|line| line.contains(&told));
            assert!(is_told, "{key} {forgotten}: {withheld:#?}");
            let failures = topology.try_apply(BLOCKS).await.expect("it is applied");
            assert!(failures.is_empty(), "{key} {forgotten}: {failures:#?}");
            let addr = thing.mark.as_ref().expect("a mark").addr.clone();
            let claims = Claims {
                adopt: vec![(addr, Some(thing.id.clone()))],
                only_adopt: true,
                ..Claims::default()
            };
            let failures = topology.try_claiming(BLOCKS, claims).await;
            let failures = failures.unwrap_or_else(|error| panic!("{key}: {error:#?}"));
            assert!(failures.is_empty(), "{key} {forgotten}: {failures:#?}");
            let (_, withheld) = topology.plan(BLOCKS).await;
            assert!(withheld.is_empty(), "{key} {forgotten}: {withheld:#?}");
            topology.apply(BLOCKS).await;
            let after: Vec<_> = things(host, &topology).await.into_keys().collect();
            assert_eq!(after, before, "{key} {forgotten}");
        }
    }
    topology.apply("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_with_the_mark_is_told_and_never_taken_for_the_machine() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let connection = host.connect();
    let topology = topology(host, OURS);
    topology.apply(BLOCKS).await;
    let all = things(host, &topology).await;
    let before: Vec<_> = all.keys().cloned().collect();
    let machine = all
        .values()
        .find(|one| one.kind() == Kind::Machine)
        .expect("one");
    let xml = definition(&connection, machine);
    let (_, uuid) = machine
        .id
        .as_str()
        .split_once('/')
        .expect("a host and a UUID");
    let (head, rest) = xml.split_once("<devices>").expect("devices");
    let (_, tail) = rest.split_once("</devices>").expect("their end");
    let clone = format!("{head}{tail}")
        .replacen(&machine.name, "clone", 1)
        .replace(&format!("<uuid>{uuid}</uuid>"), "");
    let clone = connection.define_domain_xml(&clone).expect("a clone");
    let id = format!("kvm1/{}", clone.uuid_string().expect("a UUID"));
    for forgotten in [false, true] {
        if forgotten {
            topology.forget();
        }
        let (changes, withheld) = topology.plan(BLOCKS).await;
        assert!(changes.is_empty(), "{forgotten}: {changes:#?}");
        assert!(
            withheld.iter().any(|line| line.contains(&id)),
            "{withheld:#?}"
        );
        let failures = topology.try_apply(BLOCKS).await.expect("it is applied");
        assert!(failures.is_empty(), "{forgotten}: {failures:#?}");
    }
    let after = things(host, &topology).await;
    assert!(
        before.iter().all(|key| after.contains_key(key)),
        "{after:#?}"
    );
    topology.try_apply("").await.expect("it is applied");
    let left: Vec<_> = things(host, &topology).await.into_keys().collect();
    assert_eq!(left, [format!("machine {id}")]);
    clone.undefine().expect("it goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_topology_of_the_name_is_a_stranger() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let first = topology(host, OURS);
    first.apply(BLOCKS).await;
    let before = things(host, &first).await;
    let second = topology(host, "lineage = \"bbbbbbbbbbbbbbbb\"");
    let (_, withheld) = second.plan(BLOCKS).await;
    let told = |line: &String| line.contains("another topology of this name");
    assert!(withheld.iter().any(told), "{withheld:#?}");
    for blocks in [BLOCKS, ""] {
        let failures = second.try_apply(blocks).await;
        let failures = failures.unwrap_or_else(|error| vec![error.to_string()]);
        let now = things(host, &first).await;
        for (key, thing) in &before {
            let is = now
                .get(key)
                .unwrap_or_else(|| panic!("{key} is gone: {failures:#?}"));
            assert_eq!((&is.mark, &is.spec), (&thing.mark, &thing.spec), "{key}");
        }
    }
    first.apply(BLOCKS).await;
    first.apply("").await;
}
