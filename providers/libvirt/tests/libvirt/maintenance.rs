//! Hosts that are taken out for a while, are emptied, or do not come back; and two that have one pool.

use std::collections::BTreeSet;

use serde_json::json;
use strat_model::{ErrorKind, Kind, Resource, ResourceId, ResourceState};
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
        let is_note = |name: &String| {
            let starts = ["site-", "member-"]
                .iter()
                .any(|start| name.starts_with(start));
            starts || name.contains(".machine-note.") || name.contains(".volume-note.")
        };
        let notes = volumes.filter(is_note);
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
    let (mut topology, _) = applied(&pair).await;
    let before = there(&pair);
    // Of two hosts, the second alone does not know enough of the first.
    let (on, name) = (0, "kvm1");
    for (state, forgotten) in [(None, true), (Some("down"), false)] {
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
    cleared(&mut topology, &pair).await;
    // Nothing is on it any more, and nothing is missed.
    topology.set_hosts(&but(&pair, on, None));
    let (changes, withheld) = topology.plan("").await;
    assert!(
        changes.is_empty() && withheld.is_empty(),
        "{changes:#?} {withheld:#?}"
    );
}

/// What is made beside [`BLOCKS`] while a host is away.
const MORE: &str = r#"
machine "extra" {
  cpu    = 1
  memory = "64MiB"
  image  = "debian-12"
  subnet = subnet.app
}
volume "more" {
  size   = "64MiB"
  attach = machine.extra
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn while_a_host_is_away_the_rest_of_the_site_goes_on() {
    let pair = Pair::take();
    let noted_before = noted(&pair);
    let (mut topology, on) = applied(&pair).await;
    let before = there(&pair);
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let site = support::site(&hosts, false, json!({}));
    let wanted = format!("{}{MORE}", BLOCKS.replace("count  = 2", "count  = 3"));
    // From a folder that remembers nothing, of a host that is not listed.
    topology.set_hosts(&but(&pair, 1, None));
    topology.forget();
    let (changes, withheld) = topology.plan(BLOCKS).await;
    assert!(changes.is_empty(), "{changes:#?}");
    let told = |line: &String| line.contains("the host kvm2 is not listed");
    assert_eq!(withheld.iter().any(told), on == 1, "{withheld:#?}");
    // What is new is made on the other, and nothing twice.
    let failures = topology.try_apply(&wanted).await.expect("it is applied");
    assert!(failures.is_empty(), "{failures:#?}");
    let now = there(&pair);
    assert!(now.is_superset(&before), "{now:#?}");
    let new: Vec<_> = now.difference(&before).collect();
    assert!(new.iter().all(|one| one.starts_with("0 ")), "{new:#?}");
    assert!(
        new.len() >= 5,
        "two machines, their disks, a volume: {new:#?}"
    );
    let (changes, _) = topology.plan(&wanted).await;
    assert!(changes.is_empty(), "{changes:#?}");
    // It is back: nothing is there twice, and no address.
    topology.set_hosts(&but(&pair, 1, Some("up")));
    topology.apply(&wanted).await;
    assert_eq!(there(&pair), now);
    let machines = topology.list(&site, Kind::Machine).await;
    let ips = machines.iter().map(|one| &one.attributes["private_ip"]);
    let ips: BTreeSet<_> = ips.collect();
    assert_eq!((machines.len(), ips.len()), (5, 5), "{machines:#?}");
    // What can be reached goes when all is to go, and what is on the other host stays.
    let away = machines.iter().filter(|one| host_of(one) == "kvm2");
    let away: BTreeSet<_> = away.map(|one| one.id.clone()).collect();
    assert!(!away.is_empty(), "members of a fleet keep apart");
    topology.set_hosts(&but(&pair, 1, Some("down")));
    let failures = topology.try_apply("").await.expect("it is applied");
    assert!(failures.is_empty(), "{failures:#?}");
    let of_two = |all: &BTreeSet<String>| -> BTreeSet<String> {
        let there = all.iter().filter(|one| one.starts_with("1 "));
        there.cloned().collect()
    };
    assert_eq!(of_two(&there(&pair)), of_two(&now));
    let left = topology.list(&site, Kind::Machine).await;
    let left: BTreeSet<_> = left.into_iter().map(|one| one.id).collect();
    assert_eq!(left, away);
    // Wanted again, the rest is made on the other host, and once it is back there is each once.
    let failures = topology.try_apply(&wanted).await.expect("it is applied");
    assert!(failures.is_empty(), "{failures:#?}");
    let now = there(&pair);
    topology.set_hosts(&but(&pair, 1, Some("up")));
    topology.apply(&wanted).await;
    assert_eq!(there(&pair), now);
    assert_eq!(topology.list(&site, Kind::Machine).await.len(), 5);
    cleared(&mut topology, &pair).await;
    let noted: Vec<_> = noted(&pair).difference(&noted_before).cloned().collect();
    assert!(noted.is_empty(), "{noted:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_to_be_emptied_loses_its_members_of_fleets_and_takes_nothing_new() {
    let pair = Pair::take();
    let (mut topology, on) = applied(&pair).await;
    let before = there(&pair);
    let hosts: Vec<&Peer> = pair.hosts().iter().collect();
    let site = support::site(&hosts, false, json!({}));
    let emptied = format!("kvm{}", on + 1);
    let members = async |topology: &Topology| -> Vec<String> {
        let machines = topology.list(&site, Kind::Machine).await;
        let members = machines.iter().filter(|one| one.name.contains("web"));
        members.map(|one| host_of(one).to_owned()).collect()
    };
    assert!(
        members(&topology).await.contains(&emptied),
        "they keep apart"
    );
    topology.set_hosts(&but(&pair, on, Some("drain")));
    let more = BLOCKS.replace("count  = 2", "count  = 4");
    for blocks in [BLOCKS, more.as_str()] {
        topology.apply(blocks).await;
        let members = members(&topology).await;
        assert!(members.iter().all(|host| *host != emptied), "{members:#?}");
        // What has an identity, or data, stays.
        let now = there(&pair);
        let stays = before
            .iter()
            .filter(|one| one.contains("db") || one.contains("data"));
        let gone: Vec<_> = stays.filter(|one| !now.contains(*one)).collect();
        assert!(gone.is_empty(), "{gone:#?}");
    }
    assert_eq!(members(&topology).await.len(), 4);
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
    let told = "an empty one is made only if that is asked for";
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
    // The first of two knows what is on the second, and says so.
    let listed = alone.list_all(Kind::Machine, &owner).await;
    let listed = listed.expect("it is known");
    let listed = listed.iter().find(|one| one.id == lost.id);
    let read = alone.get_all(Kind::Machine, std::slice::from_ref(&lost.id));
    let read = read.await.expect("it is known");
    for one in [listed, read.first()] {
        let one = one.expect("it is known to be there");
        assert_eq!(one.state, ResourceState::Unseen);
        assert_eq!((&one.mark, &one.spec), (&lost.mark, &lost.spec));
        let why = one.unseen().expect("why");
        assert!(why.contains("the host kvm2 is not listed"), "{why}");
    }
    let mut stranger = lost.id.to_string();
    stranger.truncate(stranger.len() - 1);
    let unknown = [ResourceId::from(&stranger)];
    let error = alone.get_all(Kind::Machine, &unknown).await;
    let error = error.expect_err("nobody knows");
    assert_eq!(error.kind(), ErrorKind::Precondition);
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
        let read = read.expect("it is known");
        let state = read.first().map(|one| one.state);
        let seen = match on_first(&volume) {
            true => ResourceState::Ready,
            false => ResourceState::Unseen,
        };
        assert_eq!(state, Some(seen), "{}", volume.name);
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
