//! What is ours: copies are not, others' groups and things are left alone, and what others wrote is seen.

use std::sync::Arc;

use serde_json::json;
use strat_conformance::Bench;
use strat_model::{
    AddressSpec, ErrorKind, Field, Kind, Labels, MarkOrigin, NetworkSpec, Resource, ResourceId,
    Spec, SubnetSpec, Witness,
};
use strat_provider::{Filter, LeaseKey, ProviderExt as _};

use crate::harness::{Azure, GROUP, REGION, group, site, thing};
use crate::once::{machine, volume};

/// Makes a thing whose mark names the call that made it, as an apply does.
async fn make(bench: &Bench<'_>, spec: &Spec<ResourceId>, word: &str) -> Resource {
    let token = bench.token(word);
    let mut mark = bench.mark(spec.kind(), word);
    mark.origin = Some(MarkOrigin::Made(token.clone()));
    let name = bench.name(word);
    let made = bench.provider.create(spec, &name, &mark, &token).await;
    bench
        .ready(spec.kind(), &made.expect("it is made").id)
        .await
}

fn network() -> Spec<ResourceId> {
    Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: Labels::new(),
    })
}

#[tokio::test]
async fn a_copy_with_the_tags_of_a_thing_is_not_the_thing() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let address = Spec::Address(AddressSpec {
        attach: None,
        labels: Labels::new(),
    });
    for (spec, folder) in [
        (volume(), "Microsoft.Compute/disks"),
        (address, "Microsoft.Network/publicIPAddresses"),
        (network(), "Microsoft.Network/virtualNetworks"),
    ] {
        let kind = spec.kind();
        let made = make(&bench, &spec, &format!("{kind}-real")).await;
        assert_eq!(made.witness, Witness::Held, "{kind}");
        azure
            .arm
            .copy(&thing(folder, &made.name), "zz-a-copy")
            .expect("a copy");
        let mut found = bench.list(kind, &Filter::Owner(bench.owner())).await;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(found.len(), 2, "{kind}: {found:?}");
        assert!(found[0].witness.is_held(), "{kind}: {found:?}");
        assert!(
            matches!(found[1].witness, Witness::Refuted { .. }),
            "{kind}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_disk_that_was_made_of_something_is_not_the_one_that_we_made() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let made = make(&bench, &volume(), "disk").await;
    azure
        .arm
        .edit(&thing("Microsoft.Compute/disks", &made.name), |fields| {
            fields["properties"]["creationData"]["createOption"] = json!("Copy");
        });
    let found = bench
        .look(Kind::Volume, &made.id)
        .await
        .expect("it is there");
    assert!(
        matches!(found.witness, Witness::Refuted { .. }),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_foreign_group_or_network_of_our_name_is_left_alone() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    // In a group of its own for the topology and site.
    let provider = azure.connect(&site(&azure.settings())).await;
    let of_ours = format!("stratiform_{}_here", bench.run);
    azure
        .put(
            &group(&of_ours),
            "2025-04-01",
            json!({ "location": REGION, "tags": { "team": "ops" } }),
        )
        .await;
    let (mark, token) = (bench.mark(Kind::Network, "core"), bench.token("core"));
    let made = provider.create(&network(), "core", &mark, &token).await;
    assert_eq!(
        made.expect_err("it is not ours").kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(azure.arm.ids("virtualNetworks"), Vec::<String>::new());
    let there = azure.arm.thing(&group(&of_ours)).expect("the group");
    assert_eq!(there["tags"], json!({ "team": "ops" }));

    // In the group that the site names.
    let path = thing("Microsoft.Network/virtualNetworks", "core");
    let body = json!({
        "location": REGION,
        "properties": { "addressSpace": { "addressPrefixes": ["192.168.0.0/24"] } },
    });
    azure.put(&path, "2026-03-01", body).await;
    let before = azure.arm.thing(&path);
    let made = bench
        .provider
        .create(&network(), "core", &mark, &token)
        .await;
    assert_eq!(
        made.expect_err("it is not ours").kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(azure.arm.thing(&path), before);
}

#[tokio::test]
async fn a_group_carries_the_lineage_before_anything_is_in_it() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let provider = azure.connect(&site(&azure.settings())).await;
    let mut mark = bench.mark(Kind::Network, "core");
    mark.owner.lineage = Some(strat_model::Lineage::new("0a1b2c3d4e5f6g7h").expect("a lineage"));
    azure.arm.take_calls();
    let token = bench.token("core");
    let made = provider
        .create(&network(), "core", &mark, &token)
        .await
        .expect("a network");
    let calls = azure.arm.take_calls();
    let puts: Vec<_> = calls.iter().filter(|call| call.http == "PUT").collect();
    assert!(puts[0].id.ends_with("resourceGroups/write"), "{puts:#?}");
    let (name, _) = made.id.as_str().split_once('/').expect("an id");
    let there = azure.arm.thing(&group(name)).expect("the group");
    assert_eq!(
        there["tags"]["stratiform:lineage"],
        json!("0a1b2c3d4e5f6g7h")
    );
    mark.owner.lineage = Some(strat_model::Lineage::new("ffffffffffffffff").expect("a lineage"));
    let other = azure.connect(&site(&azure.settings())).await;
    let refused = other.create(&network(), "more", &mark, &token).await;
    assert_eq!(
        refused.expect_err("another lineage").kind(),
        ErrorKind::AlreadyExists
    );
}

#[tokio::test]
async fn tags_and_settings_of_others_stay_through_every_change() {
    let azure = Azure::start().await;
    azure.arm.policy_adds_tag("cost-center", "42");
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    let made = bench.create(&Spec::Machine(spec.clone()), "gate").await;
    let nic = azure.arm.ids("networkInterfaces").remove(0);
    azure.arm.edit(&nic, |fields| {
        fields["properties"]["enableIPForwarding"] = json!(true);
    });
    let address = Spec::Address(AddressSpec {
        attach: Some(made.id.clone()),
        labels: Labels::new(),
    });
    let at = bench.create(&address, "way").await;
    bench.update(&at, &address, &[Field::Attach]).await;
    let seen = azure.arm.thing(&nic).expect("an interface");
    assert_eq!(
        seen["properties"]["enableIPForwarding"],
        json!(true),
        "{seen}"
    );
    let vm = thing("Microsoft.Compute/virtualMachines", &made.name);
    assert_eq!(
        azure.arm.thing(&vm).expect("a machine")["tags"]["cost-center"],
        json!("42")
    );
    // Its own address was given back for that, and it has one again afterwards.
    assert_eq!(azure.arm.ids("publicIPAddresses").len(), 1);
    bench.delete(&at).await;
    let seen = bench.ready(Kind::Machine, &made.id).await;
    assert!(seen.attributes.contains_key("public_ip"), "{seen:?}");
}

/// The refusals and successes among the writings of interfaces, each of which says what it goes by.
fn writings(azure: &Azure) -> Vec<u16> {
    let calls = azure.arm.take_calls();
    let writes = calls.iter().filter(|call| {
        let is_it = call.id.ends_with("networkInterfaces/write");
        assert!(!is_it || call.if_match.is_some(), "{call:#?}");
        is_it
    });
    writes.map(|call| call.status).collect()
}

#[tokio::test]
async fn what_somebody_writes_between_our_look_and_our_writing_is_not_lost() {
    const WRITE: &str = "networkInterfaces/write";
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    let made = bench.create(&Spec::Machine(spec), "gate").await;
    let nic = azure.arm.ids("networkInterfaces").remove(0);
    let led_to = |machine: Option<&Resource>| {
        Spec::Address(AddressSpec {
            attach: machine.map(|machine| machine.id.clone()),
            labels: Labels::new(),
        })
    };
    let way = bench.create(&led_to(None), "way").await;
    azure.arm.edit_before(WRITE, &nic, |fields| {
        fields["properties"]["enableIPForwarding"] = json!(true);
    });
    azure.arm.take_calls();
    bench
        .update(&way, &led_to(Some(&made)), &[Field::Attach])
        .await;
    assert_eq!(
        writings(&azure),
        [412, 200],
        "read again, and written again"
    );
    let seen = azure.arm.thing(&nic).expect("an interface");
    let properties = &seen["properties"];
    assert_eq!(properties["enableIPForwarding"], json!(true), "{seen}");
    let leads = properties["ipConfigurations"][0]["properties"]["publicIPAddress"]["id"].as_str();
    assert!(leads.is_some_and(|id| id.ends_with(&way.name)), "{seen}");

    // Somebody who always is faster: nothing of theirs is overwritten, and it is told as what it is.
    for turn in 0..5 {
        azure.arm.edit_before(WRITE, &nic, move |fields| {
            let tags = json!({ "turn": turn.to_string() });
            fields.insert("tags".to_owned(), tags);
        });
    }
    let detached = bench
        .try_update(&way, &led_to(None), &[Field::Attach])
        .await;
    let refused = detached.expect_err("somebody else writes");
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    assert_eq!(writings(&azure), [412; 5]);
    let seen = azure.arm.thing(&nic).expect("an interface");
    assert_eq!(seen["tags"], json!({ "turn": "4" }), "{seen}");
    // Once they are done, so are we.
    bench.update(&way, &led_to(None), &[Field::Attach]).await;
}

#[tokio::test]
async fn what_somebody_changed_in_a_firewall_is_seen_and_mended() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let network = bench.create(&network(), "net").await;
    let rule = json!({
        "name": "http", "direction": "ingress", "peers": ["internet", { "cidr": "10.0.0.0/8" }],
        "protocol": "tcp", "ports": ["80", "443"],
    });
    let spec = json!({ "firewall": { "network": network.id, "rules": [rule], "labels": {} } });
    let spec: Spec<ResourceId> = serde_json::from_value(spec).expect("a spec");
    let made = make(&bench, &spec, "wall").await;
    let rules = thing(
        "Microsoft.Network/networkSecurityGroups",
        &format!("{}_rules", network.name),
    );
    let row = format!("{rules}/securityRules/{}.in.http.ipv4", made.name);
    let inward = format!("{rules}/securityRules/stratiform_inward");
    for (path, field, value) in [
        (&row, "access", json!("Deny")),
        (&row, "sourceAddressPrefixes", json!(["192.0.2.0/24"])),
        (&row, "protocol", json!("Udp")),
        (&inward, "access", json!("Allow")),
    ] {
        assert!(
            azure
                .arm
                .edit(path, |fields| fields["properties"][field] = value),
            "{path}"
        );
        let seen = bench
            .look(Kind::Firewall, &made.id)
            .await
            .expect("it is there");
        assert_ne!(seen.spec, spec, "{field}");
        bench.update(&made, &spec, &[Field::Rules]).await;
        let seen = bench
            .look(Kind::Firewall, &made.id)
            .await
            .expect("it is there");
        assert_eq!(seen.spec, spec, "{field}");
    }
    // A rule that somebody writes by hand for all machines of the network.
    let by_hand = format!("{rules}/securityRules/by-hand");
    let body = json!({ "properties": {
        "access": "Allow", "direction": "Inbound", "priority": 150, "protocol": "Tcp",
        "sourcePortRange": "*", "sourceAddressPrefix": "*",
        "destinationPortRange": "22", "destinationAddressPrefix": "*",
    } });
    azure.put(&by_hand, "2026-03-01", body).await;
    let seen = bench
        .look(Kind::Firewall, &made.id)
        .await
        .expect("it is there");
    assert_ne!(seen.spec, spec);
    bench.update(&made, &spec, &[Field::Rules]).await;
    assert_eq!(azure.arm.thing(&by_hand), None);
}

#[tokio::test]
async fn a_network_has_room_for_as_many_notes_as_the_plan_says_and_takes_none_by_half() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let net = bench.create(&network(), "net").await;
    let one = |number: usize| {
        Spec::Subnet(SubnetSpec {
            network: net.id.clone(),
            cidr: format!("10.6.{number}.0/24").parse().expect("a range"),
            zone: None,
            internet: None,
            labels: Labels::new(),
        })
    };
    let mut owner = bench.owner();
    owner.lineage = Some(strat_model::Lineage::new("0a1b2c3d4e5f6g7h").expect("a lineage"));
    // With all that the mark of an apply has.
    let make = async |number: usize| {
        let word = format!("sub-{number}");
        let token = bench.token(&word);
        let mut mark = bench.mark(Kind::Subnet, &word);
        mark.owner = owner.clone();
        mark.origin = Some(MarkOrigin::Made(token.clone()));
        let (spec, name) = (one(number), bench.name(&word));
        bench.provider.create(&spec, &name, &mark, &token).await
    };
    let most = bench.provider.capabilities().limits.subnets as usize;
    let mut made = Vec::new();
    let refused = loop {
        match make(made.len()).await {
            Ok(subnet) => made.push(subnet),
            Err(refused) => break refused,
        }
        assert!(made.len() < 40, "it never ends");
    };
    assert!(
        (most..most + 3).contains(&made.len()),
        "{} of {most}",
        made.len()
    );
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    assert!(refused.message().contains("tags"), "{refused}");
    assert_eq!(azure.arm.ids("subnets").len(), made.len());
    let found = bench
        .list(Kind::Subnet, &Filter::Owner(owner.clone()))
        .await;
    assert_eq!(found.len(), made.len(), "each is known as ours still");
    // Where one goes, another one has room.
    bench.delete(&made[0]).await;
    make(made.len()).await.expect("there is room again");
}

#[tokio::test]
async fn a_machine_without_its_security_group_is_seen() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = Spec::Machine(machine(&bench).await);
    let made = bench.create(&spec, "open").await;
    let nic = azure.arm.ids("networkInterfaces").remove(0);
    azure.arm.edit(&nic, |fields| {
        let properties = fields["properties"].as_object_mut().expect("properties");
        properties.remove("networkSecurityGroup");
    });
    let seen = bench
        .look(Kind::Machine, &made.id)
        .await
        .expect("it is there");
    assert_ne!(seen.spec, made.spec);
    bench.update(&made, &spec, &[Field::Firewalls]).await;
    let seen = bench
        .look(Kind::Machine, &made.id)
        .await
        .expect("it is there");
    assert_eq!(seen.spec, made.spec);
}

#[tokio::test]
async fn a_lease_is_held_by_a_writing_and_not_by_its_contents() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let provider = Arc::clone(&bench.provider);
    let leases = provider.leases().expect("leases");
    leases.make().await.expect("an account");
    let place = leases.places().await.expect("places").remove(0);
    let key = LeaseKey::of("shop", &place);
    let first = leases.replace(&key, "{\"a\":1}", None).await.expect("free");
    let second = leases
        .replace(&key, "{\"b\":2}", Some(&first))
        .await
        .expect("ours");
    let third = leases
        .replace(&key, "{\"a\":1}", Some(&second))
        .await
        .expect("ours");
    assert_ne!(first, third, "equal contents are two writings");
    let kept = leases.read(&key).await.expect("a read").expect("kept");
    assert!(leases.prove(&key, &kept).await.expect("it holds them"));
    azure.arm.ignore_conditions(true);
    let refused = leases.prove(&key, &kept).await.expect_err("no store");
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
    azure.arm.ignore_conditions(false);
    let stale = leases
        .replace(&key, "{\"c\":3}", Some(&first))
        .await
        .expect_err("an old one");
    assert_eq!(stale.kind(), ErrorKind::Precondition);
    assert!(
        !azure
            .arm
            .ids("storageAccounts")
            .iter()
            .any(|id| id.contains(GROUP))
    );
}
