//! What only a site of several hosts shows: packing, volumes that go from host to host, a host
//! that does not answer, and the proof of an accelerator.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use crate::support;
use crate::support::lab::{Lab, host_of};
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use serde_json::json;
use strat_model::{ErrorKind, Kind, Resource};
use strat_provider::{Filter, PermissionState, ProviderExt};

#[tokio::test(flavor = "multi_thread")]
async fn members_keep_apart_and_addresses_are_the_sites() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({})).await;
    let subnet = lab.subnet("apart", 92).await;
    let machines = lab.fleet(&Lab::machine(&subnet, "rack1"), "apart", 4).await;
    let on = |host: &str| {
        machines
            .iter()
            .filter(|machine| host_of(machine) == host)
            .count()
    };
    assert_eq!((on("kvm1"), on("kvm2")), (2, 2));
    let ips: BTreeSet<_> = machines
        .iter()
        .map(|machine| &machine.attributes["private_ip"])
        .collect();
    assert_eq!(
        ips.len(),
        4,
        "no address is given twice, whatever host: {ips:?}"
    );
    lab.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_takes_its_bytes_to_another_host() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({})).await;
    let subnet = lab.subnet("carry", 93).await;
    let machines = lab.fleet(&Lab::machine(&subnet, "rack1"), "carry", 2).await;
    let volume = lab.volume("rack1", "carried").await;
    let storage = &*lab.provider;
    let qemu_io = |machine: &Resource, command: &str| {
        let host = &pair.hosts()[usize::from(host_of(machine) == "kvm2")];
        let file = host.path("lib/images/stratiform/carried.volume");
        let output = Command::new("qemu-io")
            .args(["-f", "qcow2", "-c", command])
            .arg(file)
            .output();
        let output = output.expect("qemu-io runs");
        assert!(
            output.status.success() && !String::from_utf8_lossy(&output.stdout).contains("failed"),
            "{output:?}"
        );
    };
    let [one, two] = machines.as_slice() else {
        panic!("two machines")
    };
    assert_ne!(host_of(one), host_of(two));
    for (n, (from, to)) in [(one, two), (two, one)].into_iter().enumerate() {
        storage
            .attach_volume(&volume.id, &from.id)
            .await
            .expect("attached");
        storage.detach_volume(&volume.id).await.expect("detached");
        qemu_io(from, &format!("write -P 0xa{n} 1M 64k"));
        storage
            .attach_volume(&volume.id, &to.id)
            .await
            .expect("attached on the other host");
        storage.detach_volume(&volume.id).await.expect("detached");
        qemu_io(to, &format!("read -P 0xa{n} 1M 64k"));
    }
    let copies = pair
        .hosts()
        .iter()
        .filter(|host| host.path("lib/images/stratiform/carried.volume").exists());
    assert_eq!(copies.count(), 1, "it is on one host");
    lab.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_are_racks_and_a_volume_stays_in_its_own() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, true, json!({})).await;
    let zones = lab.provider.zones().await.expect("zones");
    assert_eq!(zones, ["rack1", "rack2"]);
    let subnet = lab.subnet("racks", 94).await;
    let machine = lab
        .fleet(&Lab::machine(&subnet, "rack2"), "racks", 1)
        .await
        .remove(0);
    assert_eq!(host_of(&machine), "kvm2");
    let volume = lab.volume("rack1", "elsewhere").await;
    let attached = lab.provider.attach_volume(&volume.id, &machine.id).await;
    assert_eq!(
        attached.expect_err("another zone").kind(),
        ErrorKind::Invalid
    );
    lab.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer_makes_lists_fail_and_nothing_empty() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({})).await;
    let subnet = lab.subnet("silent", 95).await;
    lab.fleet(&Lab::machine(&subnet, "rack1"), "silent", 2)
        .await;
    let free = lab
        .provider
        .free()
        .await
        .expect("an answer")
        .expect("a bound");
    pair.hosts()[1].kill_libvirtd();
    for kind in [
        Kind::Network,
        Kind::Subnet,
        Kind::Firewall,
        Kind::Image,
        Kind::Machine,
        Kind::Volume,
    ] {
        let listed = lab.provider.list_all(kind, &Filter::All).await;
        assert_eq!(
            listed.expect_err("one host is silent").kind(),
            ErrorKind::Transient,
            "{kind}"
        );
    }
    let left = lab
        .provider
        .free()
        .await
        .expect("one host answers")
        .expect("a bound");
    assert!(
        left.cpu < free.cpu,
        "what the silent host has is not offered"
    );
    pair.hosts()[1].release();
    let machines = lab
        .provider
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("both answer again");
    assert_eq!(
        machines
            .iter()
            .filter(|machine| machine.mark.is_some())
            .count(),
        2
    );
    lab.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_first_makes_the_pool_and_nobody_trips_over_it() {
    let pair = Pair::take();
    for round in 0..3 {
        let pool = format!("fresh{round}");
        let path = format!("/var/lib/libvirt/images/{pool}");
        let extra = json!({ "pool": pool, "pool_path": path });
        // Two programs, each of which lists every kind at once.
        let one = Lab::new(&pair, false, extra.clone()).await.provider;
        let other = Lab::new(&pair, false, extra).await.provider;
        let kinds = [Kind::Firewall, Kind::Keypair, Kind::Image, Kind::Volume];
        let lists = [&one, &other].into_iter().flat_map(|provider| {
            kinds.map(|kind| {
                let provider = Arc::clone(provider);
                tokio::spawn(async move { provider.list_all(kind, &Filter::All).await })
            })
        });
        for list in lists.collect::<Vec<_>>() {
            list.await.expect("it ends").expect("a list");
        }
        for host in pair.hosts() {
            let made = host.connect().lookup_storage_pool_by_name(&pool);
            made.expect("it is made").destroy().expect("it stops");
            let made = host.connect().lookup_storage_pool_by_name(&pool);
            made.expect("it is there").undefine().expect("it goes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_a_killed_libvirtd_left_is_in_nobodys_way() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({})).await;
    let id = lab.subnet("left", 97).await;
    let bridge = |host: &crate::support::peer::Peer| {
        let network = host.connect().lookup_network_by_name(id.as_str());
        network.expect("the network").bridge_name().expect("a name")
    };
    let [left, other] = pair.hosts().each_ref().map(bridge);
    assert_eq!(left, other);
    lab.clear().await;
    let link = |verb: &str| {
        let mut command = pair.hosts()[0].enter();
        let status = command.args(["ip", "link", verb, &left, "type", "bridge"]);
        assert!(status.status().expect("ip runs").success(), "{verb}");
    };
    link("add");
    assert_eq!(lab.subnet("left", 97).await, id);
    let [first, second] = pair.hosts().each_ref().map(bridge);
    assert_ne!(first, left, "another one on this host");
    assert_eq!(second, left, "the same on the other");
    lab.clear().await;
    link("delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_libvirtd_left_goes_over_ssh_or_is_told() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let clean = host.bridges();
    for (user, may) in [("root", true), ("nobody", false)] {
        let site = support::site_of(&[host.uri_as(user)], false, json!({}));
        let provider = support::connect(&site).await;
        let lab = Lab { provider };
        host.kill_at("network:started", "");
        let killed = lab.try_subnet("left", 89).await;
        let killed = killed.expect_err("libvirtd is gone");
        assert_eq!(killed.kind(), ErrorKind::Transient, "{killed}");
        assert!(host.was_killed());
        let (left, servers) = host.bridges();
        assert_eq!((left.len(), servers), (1, 1), "{left:?}");
        if !may {
            let refused = lab.try_subnet("left", 89).await.expect_err("no rights");
            let help = format!("as root on kvm1, once: `ip link delete {}; pkill", left[0]);
            assert_eq!(
                refused.kind(),
                ErrorKind::Precondition,
                "nothing waits for it"
            );
            assert!(
                refused.help().is_some_and(|told| told.contains(&help)),
                "{refused:?}"
            );
            // The definition proves whose the bridge is: it stays as long.
            let subnets = lab.provider.list_all(Kind::Subnet, &Filter::All).await;
            let ids: Vec<_> = subnets.expect("a list").into_iter().map(|s| s.id).collect();
            let refused = lab.provider.delete_all(Kind::Subnet, &ids).await;
            let refused = refused.expect_err("no rights");
            let told = refused.help().expect("what to do");
            assert!(told.contains(&help), "{refused:?}");
            let (_, command) = told.split_once("once: `").expect("a command");
            host.say(&["sh", "-c", command.trim_end_matches('`')]);
        }
        lab.subnet("left", 89).await;
        assert_eq!(host.bridges(), (left, 1));
        lab.clear().await;
        assert_eq!(host.bridges(), clean);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_libvirtd_left_goes_with_the_subnet() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let lab = Lab::new(&pair, false, json!({})).await;
    let clean = host.bridges();
    for is_up in [true, false] {
        host.kill_at("network:started", "");
        let killed = lab.try_subnet("gone", 88).await;
        killed.expect_err("libvirtd is gone");
        assert!(host.was_killed());
        let (left, _) = host.bridges();
        assert_eq!(left.len(), 1);
        if !is_up {
            // As it is before libvirt gives it an address: only the name is in the way.
            host.say(&["ip", "link", "set", &left[0], "down"]);
            lab.subnet("gone", 88).await;
            assert_eq!(host.bridges(), (left, 1), "it is the same one, made anew");
        }
        lab.clear().await;
        assert_eq!(host.bridges(), clean);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_takes_no_accelerator_on_trust() {
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({ "accel": "auto" })).await;
    let subnet = lab.subnet("proved", 96).await;
    let machine = lab
        .fleet(&Lab::machine(&subnet, "rack1"), "proved", 1)
        .await
        .remove(0);
    let (host, uuid) = machine
        .id
        .as_str()
        .split_once('/')
        .expect("a host and a UUID");
    let connection = pair.hosts()[usize::from(host == "kvm2")].connect();
    let domain = connection
        .lookup_domain_by_uuid_string(uuid)
        .expect("the domain");
    // Whichever it is, its processor runs: that is what was to be proved.
    let before = domain.info().expect("its state").cpu_time;
    let mut after = before;
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        after = domain.info().expect("its state").cpu_time;
        if after > before {
            break;
        }
    }
    assert!(after > before, "the machine got no time on a processor");
    let left = connection.list_all_domains(0).expect("the domains");
    let names: Vec<_> = left
        .iter()
        .map(|domain| domain.name().expect("a name"))
        .collect();
    assert!(
        names.iter().all(|name| !name.contains("probe")),
        "the probe is gone: {names:?}"
    );
    lab.clear().await;
}

/// The switch that gives a host's filters what crosses its bridges, on again in the end.
struct Switch<'a>(&'a Peer);

impl Switch<'_> {
    fn set(&self, value: u8) {
        let path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
        let mut command = self.0.enter();
        command.args(["sh", "-c", &format!("echo {value} > {path}")]);
        assert!(command.status().expect("sh runs").success());
    }
}

impl Drop for Switch<'_> {
    fn drop(&mut self) {
        self.set(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_machine_is_made_where_its_firewalls_would_be_open() {
    let pair = Pair::take();
    let switch = Switch(&pair.hosts()[1]);
    switch.set(0);
    let lab = Lab::new(&pair, true, json!({})).await;
    let subnet = lab.subnet("bridged", 96).await;
    let permissions = lab.provider.permissions().expect("a facet");
    let checks = permissions.check_permissions().await.expect("checks");
    let state = |host: &str| {
        let wanted = format!("{host}: filter what crosses a bridge");
        let mut checks = checks.iter();
        let check = checks.find(|check| check.permission == wanted);
        check.expect("a check").state.clone()
    };
    assert_eq!(state("kvm1"), PermissionState::Granted);
    let PermissionState::Missing { why } = state("kvm2") else {
        panic!("{:?}", state("kvm2"));
    };
    assert!(why.contains("bridge-nf-call-iptables is 0"), "{why}");

    let refused = lab
        .try_fleet(&Lab::machine(&subnet, "rack2"), "open", 1)
        .await;
    let error = match refused {
        Err(error) => error,
        Ok(batch) => batch.shortfall.expect("it is refused"),
    };
    assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
    assert!(error.to_string().contains("the host kvm2"), "{error}");
    let owner = Filter::Owner("hosts".parse().expect("an owner"));
    let left = lab.provider.list_all(Kind::Machine, &owner).await;
    assert!(left.expect("a list").is_empty());
    // The other host is as it should be.
    let made = lab
        .fleet(&Lab::machine(&subnet, "rack1"), "closed", 1)
        .await;
    assert_eq!(host_of(&made[0]), "kvm1");
    drop(switch);
    lab.clear().await;
}
