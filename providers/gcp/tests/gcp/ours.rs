//! What is ours: copies are not, what others wrote is seen, and a number of a writing never repeats.

use std::sync::Arc;

use serde_json::json;
use strat_conformance::Bench;
use strat_model::{
    AddressSpec, ErrorKind, Field, Kind, Labels, MarkOrigin, Resource, ResourceId, Spec,
    VolumeSpec, Witness,
};
use strat_provider::{Filter, LeaseKey, ProviderExt as _};

use crate::harness::{Google, PROJECT, REGION, ZONE};
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

async fn witnesses(bench: &Bench<'_>, kind: Kind) -> Vec<(String, Witness)> {
    let listed = bench.list(kind, &Filter::Owner(bench.owner())).await;
    let mut found: Vec<_> = listed
        .into_iter()
        .map(|one| (one.id.to_string(), one.witness))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[tokio::test]
async fn a_copy_with_the_labels_of_a_thing_is_not_the_thing() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let address = Spec::Address(AddressSpec {
        attach: None,
        labels: Labels::new(),
    });
    let server = Spec::Machine(machine(&bench).await);
    for (kind, spec, folder) in [
        (Kind::Machine, server, format!("zones/{ZONE}/instances")),
        (Kind::Volume, volume(), format!("zones/{ZONE}/disks")),
        (
            Kind::Address,
            address,
            format!("regions/{REGION}/addresses"),
        ),
    ] {
        let made = make(&bench, &spec, &format!("{kind}-real")).await;
        assert_eq!(made.witness, Witness::Held, "{kind}");
        let path = format!("projects/{PROJECT}/{folder}/{}", made.name);
        google.gce.copy(&path, "zz-a-copy").expect("a copy");
        let found = witnesses(&bench, kind).await;
        assert_eq!(found.len(), 2, "{kind}: {found:?}");
        assert!(found[0].1.is_held(), "{kind}: {found:?}");
        assert!(
            matches!(found[1].1, Witness::Refuted { .. }),
            "{kind}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_disk_that_was_made_of_a_snapshot_is_not_the_one_that_we_made() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let made = make(&bench, &volume(), "disk").await;
    let path = format!("projects/{PROJECT}/zones/{ZONE}/disks/{}", made.name);
    google.gce.edit(&path, |fields| {
        let snapshot = format!("projects/{PROJECT}/global/snapshots/nightly");
        fields.insert("sourceSnapshot".to_owned(), json!(snapshot));
    });
    let found = witnesses(&bench, Kind::Volume).await;
    assert!(matches!(found[0].1, Witness::Refuted { .. }), "{found:?}");
}

/// A name is a zone's own: what has the same one in another zone is another thing, and a copy that somebody
/// makes there, labels and all, is not ours.
#[tokio::test]
async fn one_name_in_two_zones_is_two_things() {
    const THERE: &str = "europe-west4-b";
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let here = make(&bench, &volume(), "data").await;
    let path = |zone: &str| format!("projects/{PROJECT}/zones/{zone}/disks/{}", here.name);
    let elsewhere = |zone: &str| match volume() {
        Spec::Volume(spec) => Spec::Volume(VolumeSpec {
            zone: zone.parse().expect("a zone"),
            ..spec
        }),
        other => other,
    };
    let (mut mark, token) = (bench.mark(Kind::Volume, "other"), bench.token("other"));
    mark.origin = Some(MarkOrigin::Made(token.clone()));
    let name = bench.name("data");
    let made = bench
        .provider
        .create(&elsewhere(THERE), &name, &mark, &token)
        .await;
    let there = bench.ready(Kind::Volume, &made.expect("made").id).await;
    assert_ne!(here.id, there.id);
    let addr = |one: &Resource| one.mark.as_ref().map(|mark| mark.addr.clone());
    assert_ne!(addr(&here), addr(&there));
    let found = witnesses(&bench, Kind::Volume).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|(_, witness)| witness.is_held()),
        "{found:?}"
    );
    bench.delete(&there).await;
    bench.gone(Kind::Volume, &there.id).await;
    let left = bench.ready(Kind::Volume, &here.id).await;
    assert_eq!(addr(&left), addr(&here));
    let is = google.gce.thing(&path(ZONE)).expect("it is there");
    let scope = format!("compute/v1/projects/{PROJECT}/zones/{THERE}/disks");
    let body = json!({ "name": is["name"], "sizeGb": "20", "labels": is["labels"] });
    google.post(&scope, body).await;
    let found = witnesses(&bench, Kind::Volume).await;
    let refuted = |id: &str| {
        let mut of = found.iter().filter(|(one, _)| one.starts_with(id));
        of.all(|(_, witness)| matches!(witness, Witness::Refuted { .. }))
    };
    assert!(
        found.len() == 2 && refuted(THERE) && !refuted(ZONE),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_somebody_changed_in_a_firewall_is_seen_and_mended() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let network = bench
        .create(
            &Spec::Network(strat_model::NetworkSpec {
                cidr: "10.6.0.0/16".parse().expect("a range"),
                labels: Labels::new(),
            }),
            "net",
        )
        .await;
    let rule = json!({
        "name": "http", "direction": "ingress", "peers": ["internet", { "cidr": "10.0.0.0/8" }],
        "protocol": "tcp", "ports": ["80", "443"],
    });
    let spec = json!({ "firewall": { "network": network.id, "rules": [rule], "labels": {} } });
    let spec: Spec<ResourceId> = serde_json::from_value(spec).expect("a spec");
    let made = make(&bench, &spec, "wall").await;
    let paths = google.gce.paths(PROJECT, "firewalls");
    let row = paths
        .iter()
        .find(|path| !path.ends_with(&made.name))
        .expect("a row")
        .clone();
    for (field, value) in [
        ("disabled", json!(true)),
        ("priority", json!(900)),
        ("sourceRanges", json!(["192.0.2.0/24"])),
        ("targetTags", json!(["others"])),
        ("allowed", json!([{ "IPProtocol": "udp" }])),
    ] {
        assert!(google.gce.edit(&row, |fields| {
            fields.insert(field.to_owned(), value);
        }));
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
    // A rule that somebody adds for its machines by hand is a firewall of theirs, not one of ours.
    assert!(google.gce.remove(&row));
    let seen = bench
        .look(Kind::Firewall, &made.id)
        .await
        .expect("it is there");
    assert_ne!(seen.spec, spec);
}

#[tokio::test]
async fn a_lease_is_held_by_the_number_of_a_writing_and_not_by_its_contents() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let provider = Arc::clone(&bench.provider);
    let leases = provider.leases().expect("leases");
    leases.make().await.expect("a bucket");
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
    let stale = leases
        .replace(&key, "{\"c\":3}", Some(&first))
        .await
        .expect_err("an old one");
    assert_eq!(stale.kind(), strat_model::ErrorKind::Precondition);

    // Labels are otherwise: what was written and taken back has the fingerprint of before.
    let made = make(&bench, &volume(), "disk").await;
    let path = format!("projects/{PROJECT}/zones/{ZONE}/disks/{}", made.name);
    let print = || google.gce.thing(&path).expect("a disk")["labelFingerprint"].clone();
    let before = print();
    google
        .gce
        .edit(&path, |fields| fields["labels"]["other"] = json!("x"));
    assert_ne!(before, print());
    google.gce.edit(&path, |fields| {
        fields["labels"]
            .as_object_mut()
            .expect("labels")
            .remove("other");
    });
    assert_eq!(before, print());
}

/// A machine that goes while its address or its volume is let go of is no reason to stop: what is asked
/// for is done by its going.
#[tokio::test]
async fn a_machine_that_goes_meanwhile_ends_no_delete() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let server = make(&bench, &Spec::Machine(machine(&bench).await), "goes").await;
    let leads = |attach| {
        let labels = Labels::new();
        Spec::Address(AddressSpec { attach, labels })
    };
    let address = make(&bench, &leads(None), "held").await;
    let to = leads(Some(server.id.clone()));
    bench.update(&address, &to, &[Field::Attach]).await;
    let is_gone = "The resource 'instances/goes' was not found";
    let method = "instances.deleteAccessConfig";
    google.gce.refuse(method, 1, 404, "notFound", is_gone);
    // It goes on to the address itself, which this machine, since it did not really go, still uses.
    let error = bench.try_delete(&address).await.expect_err("still in use");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    bench.delete(&address).await;
    bench.gone(Kind::Address, &address.id).await;
    bench.delete(&server).await;
}
