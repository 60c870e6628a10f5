//! Hosts that are taken out for a while, are emptied, or do not come back; and two that have one pool.

use std::collections::BTreeSet;

use serde_json::json;
use strat_model::{ErrorKind, Kind, Resource};
use strat_provider::{ConnectContext, Filter, ProviderExt, ProviderFactory, TokioClock};

use crate::support;
use crate::support::lab::{Lab, host_of};
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.93.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
machines "web" {
  count  = 2
  cpu    = 1
  memory = "64MiB"
  image  = "debian-12"
  subnet = subnet.app
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

/// What stands in `hosts`: those that are not up with what is said of them, `None` not at all.
fn listed(pair: &Pair, states: [Option<&str>; 2]) -> String {
    let hosts = pair.hosts().iter().zip(states).enumerate();
    let hosts = hosts.filter_map(|(index, (host, state))| {
        let (uri, state, number) = (host.uri(), state?, index + 1);
        Some(format!(
            "{{ name = \"kvm{number}\", uri = \"{uri}\", state = \"{state}\" }}"
        ))
    });
    format!("rack1 = [{}]", hosts.collect::<Vec<_>>().join(", "))
}

/// The same, of which one host is not up.
fn but(pair: &Pair, host: usize, state: Option<&str>) -> String {
    let mut states = [Some("up"); 2];
    states[host] = state;
    listed(pair, states)
}

/// The names of all machines and volumes on both hosts, by host.
fn there(pair: &Pair) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (index, host) in pair.hosts().iter().enumerate() {
        let connection = host.connect();
        for domain in connection.list_all_domains(0).expect("the domains") {
            let (name, uuid) = (domain.name(), domain.uuid_string());
            all.insert(format!("{index} {name:?} {uuid:?}"));
        }
        let pool = connection.lookup_storage_pool_by_name("stratiform");
        for volume in pool.expect("the pool").list_volumes().expect("its volumes") {
            if volume.ends_with(".volume") || volume.contains(".disk") {
                all.insert(format!("{index} {volume}"));
            }
        }
    }
    all
}

/// What the hosts' pools note of each other: who was killed meanwhile leaves some of it.
fn noted(pair: &Pair) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (index, host) in pair.hosts().iter().enumerate() {
        let connection = host.connect();
        let Ok(pool) = connection.lookup_storage_pool_by_name("stratiform") else {
            continue;
        };
        let volumes = pool.list_volumes().expect("its volumes").into_iter();
        let notes = volumes.filter(|name| name.starts_with("site-"));
        all.extend(notes.map(|name| format!("{index} {name}")));
    }
    all
}

/// Machines on both hosts; gives the place of the host that the database and its volume are on.
async fn applied(pair: &Pair) -> (Topology, usize) {
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let topology = Topology::new(&hosts, "images = { debian-12 = \"debian-12.img\" }");
    topology.apply(BLOCKS).await;
    let site = support::site(&hosts, false, json!({}));
    let machines = topology.list(&site, Kind::Machine).await;
    let mut db = machines.iter().filter(|one| one.name.contains("db"));
    let host = host_of(db.next().expect("the database"));
    (topology, usize::from(host == "kvm2"))
}

async fn cleared(topology: &mut Topology, pair: &Pair) {
    topology.set_hosts(&listed(pair, [Some("up"); 2]));
    topology.apply("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_a_host_that_is_not_looked_at_is_left_as_it_is() {
    let pair = Pair::take();
    let (mut topology, on) = applied(&pair).await;
    let before = there(&pair);
    let name = format!("kvm{}", on + 1);
    for state in [None, Some("down")] {
        for forgotten in [false, true] {
            topology.set_hosts(&but(&pair, on, state));
            if forgotten {
                topology.forget();
            }
            let (changes, withheld) = topology.plan(BLOCKS).await;
            assert!(changes.is_empty(), "{state:?} {forgotten}: {changes:#?}");
            let told = if state.is_none() {
                "is not listed"
            } else {
                "is down"
            };
            let told = format!("the host {name} {told}");
            let is_told = withheld.iter().any(|line| line.contains(&told));
            assert!(is_told, "{state:?} {forgotten}: {withheld:#?}");
            assert!(
                withheld
                    .iter()
                    .all(|line| !line.contains("behind Stratiform's back")),
                "{withheld:#?}"
            );
            // Not even to destroy it.
            for blocks in [BLOCKS, ""] {
                let failures = topology.try_apply(blocks).await;
                let failures = failures.unwrap_or_else(|error| vec![error.to_string()]);
                assert_eq!(there(&pair), before, "{state:?} {forgotten}: {failures:#?}");
            }
            // It is back, and everything is as before.
            topology.set_hosts(&but(&pair, on, Some("up")));
            topology.apply(BLOCKS).await;
            assert_eq!(there(&pair), before, "{state:?} {forgotten}");
        }
    }
    cleared(&mut topology, &pair).await;
    // Nothing is on it any more, and nothing is missed.
    topology.set_hosts(&but(&pair, on, None));
    let (changes, withheld) = topology.plan("").await;
    assert!(
        changes.is_empty() && withheld.is_empty(),
        "{changes:#?} {withheld:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_to_be_emptied_takes_nothing_new() {
    let pair = Pair::take();
    let (mut topology, on) = applied(&pair).await;
    let before = there(&pair);
    topology.set_hosts(&but(&pair, on, Some("drain")));
    topology.apply(BLOCKS).await;
    assert_eq!(there(&pair), before, "what runs there stays");
    let more = BLOCKS.replace("count  = 2", "count  = 5");
    topology.apply(&more).await;
    let new: Vec<String> = there(&pair).difference(&before).cloned().collect();
    let other = format!("{} ", 1 - on);
    assert!(
        new.iter().all(|thing| thing.starts_with(&other)),
        "{new:#?}"
    );
    assert!(new.len() >= 3, "{new:#?}");
    cleared(&mut topology, &pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_host_that_does_not_come_back_data_is_made_anew_only_by_name() {
    let pair = Pair::take();
    let (mut topology, on) = applied(&pair).await;
    let before = there(&pair);
    topology.set_hosts(&but(&pair, on, Some("gone")));
    let (changes, withheld) = topology.plan(BLOCKS).await;
    assert!(
        changes.iter().all(|change| !change.contains("volume.data")),
        "{changes:#?}"
    );
    let told = "--recreate volume.data@dc1";
    assert!(
        withheld.iter().any(|line| line.contains(told)),
        "{withheld:#?}"
    );
    assert_eq!(there(&pair), before);
    cleared(&mut topology, &pair).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_what_is_on_a_host_that_is_not_listed_never_says_that_it_is_gone() {
    let pair = Pair::take();
    let before = noted(&pair);
    let lab = Lab::new(&pair, false, json!({})).await;
    let subnet = lab.subnet("unlisted", 90).await;
    let machines = lab
        .fleet(&Lab::machine(&subnet, "rack1"), "unlisted", 2)
        .await;
    let lost = |one: &&Resource| host_of(one) == "kvm2";
    let lost = machines.iter().find(lost).expect("one on the other host");
    let volumes = [
        lab.volume("rack1", "one").await,
        lab.volume("rack1", "two").await,
    ];
    let alone = support::connect(&support::site(&[&pair.hosts()[0]], false, json!({}))).await;
    let owner = Filter::Owner("hosts".parse().expect("an owner"));
    for kind in [Kind::Machine, Kind::Volume] {
        let first = alone
            .observe()
            .list(kind, &owner, None)
            .await
            .expect("a page");
        let rest = alone
            .observe()
            .list(kind, &owner, first.next.as_ref())
            .await;
        let error = rest.expect_err("the other host is not listed");
        assert!(error.to_string().contains("kvm2"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Precondition);
    }
    let machine = alone
        .get_all(Kind::Machine, std::slice::from_ref(&lost.id))
        .await;
    let error = machine.expect_err("nobody knows");
    assert!(
        error.to_string().contains("the host kvm2 is not listed"),
        "{error}"
    );
    let deleted = alone
        .delete_all(Kind::Machine, std::slice::from_ref(&lost.id))
        .await;
    deleted.expect_err("it is not deleted");
    let on_first = |volume: &Resource| {
        let file = format!("lib/images/stratiform/{}.volume", volume.name);
        pair.hosts()[0].path(&file).exists()
    };
    for volume in volumes {
        let read = alone
            .get_all(Kind::Volume, std::slice::from_ref(&volume.id))
            .await;
        assert_eq!(read.is_ok(), on_first(&volume), "{}: {read:?}", volume.name);
    }
    lab.clear().await;
    let left: Vec<_> = noted(&pair).difference(&before).cloned().collect();
    assert!(left.is_empty(), "nothing is noted any more: {left:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_that_have_one_folder_for_a_pool_are_refused_and_lose_nothing() {
    let pair = Pair::take();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("data.volume"), "data").expect("a file");
    let pool_path = "/var/lib/libvirt/images/shared";
    for host in pair.hosts() {
        host.say(&["mkdir", "-p", pool_path]);
        let from = folder.path().to_string_lossy().into_owned();
        host.say(&["mount", "--bind", &from, pool_path]);
    }
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let extra = json!({ "pool": "shared", "pool_path": pool_path });
    let site = support::site(&hosts, false, extra);
    let context = ConnectContext {
        base_dir: std::env::temp_dir(),
        clock: std::sync::Arc::new(TokioClock::system()),
    };
    for _ in 0..2 {
        let connected = strat_libvirt::LibvirtFactory::new()
            .connect(&site, &context)
            .await;
        let error = connected.expect_err("one folder");
        let told = "the pool `shared` of the hosts kvm1 and kvm2 is one and the same folder";
        assert!(error.to_string().contains(told), "{error}");
        assert!(
            error.help().is_some_and(|help| help.contains("pool_path")),
            "{error:?}"
        );
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["data.volume"]);
    // Each alone has it for itself.
    for host in pair.hosts() {
        let pool = host
            .connect()
            .lookup_storage_pool_by_name("shared")
            .expect("the pool");
        pool.destroy().expect("it stops");
        pool.undefine().expect("it goes");
        host.say(&["umount", pool_path]);
    }
}
