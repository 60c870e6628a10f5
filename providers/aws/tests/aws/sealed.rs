//! Encryption of disks and volumes: all that is made is encrypted, and what was made before is told and left.

use std::collections::BTreeMap;

use serde_json::json;
use strat_conformance::Bench;
use strat_model::{Bytes, DiskClass, DiskSpec, Kind, Labels, Resource, Spec, VolumeSpec};
use strat_provider::Provider;
use stratiform::{Claims, Mode};

use crate::harness::{Moto, connect, credentials};
use crate::once::machine;
use crate::ownership::shop::{Shop, lines};

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A volume of 8 GiB.
fn volume(
    bench: &Bench<'_>,
    like: &strat_model::MachineSpec<strat_model::ResourceId>,
) -> Spec<strat_model::ResourceId> {
    assert!(bench.has(Kind::Volume));
    Spec::Volume(VolumeSpec {
        size: Bytes::gib(8),
        class: DiskClass::Ssd,
        zone: like.zone.clone(),
        attach: None,
        labels: Labels::new(),
    })
}

/// How the vendor's client says that a machine's disks, or a volume, are encrypted: by id.
async fn seals(moto: &Moto, thing: &Resource) -> BTreeMap<String, Option<String>> {
    let name = match thing.kind() {
        Kind::Machine => "attachment.instance-id",
        _ => "volume-id",
    };
    let of = aws_sdk_ec2::types::Filter::builder().name(name);
    let of = of.values(thing.id.as_str()).build();
    let found = moto.ec2().await.describe_volumes().filters(of).send().await;
    let found = found.expect("DescribeVolumes");
    let seal = |volume: &aws_sdk_ec2::types::Volume| {
        let id = volume.volume_id().expect("an id").to_owned();
        let key = volume.kms_key_id().unwrap_or_default().to_owned();
        (id, (volume.encrypted() == Some(true)).then_some(key))
    };
    found.volumes().iter().map(seal).collect()
}

#[tokio::test]
async fn what_is_made_is_encrypted_with_the_key_of_its_site() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let mut spec = machine(&bench).await;
    let bare = bench.create(&Spec::Machine(spec.clone()), "bare").await;
    let disk = DiskSpec {
        size: Bytes::gib(20),
        class: DiskClass::Ssd,
    };
    spec.disks = vec![disk.clone(), disk];
    let full = bench.create(&Spec::Machine(spec.clone()), "full").await;
    let data = bench.create(&volume(&bench, &spec), "data").await;
    for (thing, count) in [(&bare, 1), (&full, 2), (&data, 1)] {
        let thing = bench.ready(thing.kind(), &thing.id).await;
        let seals = seals(&moto, &thing).await;
        assert_eq!(seals.len(), count, "{seals:?}");
        assert!(seals.values().all(Option::is_some), "{seals:?}");
        assert!(!thing.departs(), "{thing:?}");
    }

    // With a key of the site's, which is not the one of what is there.
    let mut site = moto.site();
    site.settings.insert("kms_key".to_owned(), json!(KEY));
    let keyed = connect(&site, credentials()).await;
    let look = async |provider: &dyn Provider, thing: &Resource| {
        let ids = std::slice::from_ref(&thing.id);
        let found = provider.observe().get(thing.kind(), ids).await;
        found.expect("a read").remove(0)
    };
    for thing in [&bare, &full, &data] {
        let seen = look(&*keyed, thing).await;
        let why = seen.stays_departed().expect("another key");
        assert!(why.contains(&format!("and not with {KEY}: ")), "{why}");
    }
    let mut bench = bench;
    bench.provider = keyed;
    let made = bench.create(&Spec::Machine(spec.clone()), "keyed").await;
    let data = bench.create(&volume(&bench, &spec), "keyed-data").await;
    for thing in [&made, &data] {
        let thing = bench.ready(thing.kind(), &thing.id).await;
        let seals = seals(&moto, &thing).await;
        let with = |key: &Option<String>| key.as_deref() == Some(KEY);
        assert!(!seals.is_empty() && seals.values().all(with), "{seals:?}");
        assert!(!thing.departs(), "{thing:?}");
    }
    bench.clear_up().await;
}

/// Nothing is made anew for it, however often the topology is applied.
#[tokio::test]
async fn what_was_made_without_encryption_is_told_and_left() {
    let shop = Shop::new("sealed").await;
    shop.write(crate::ownership::shop::OURS, "encrypted = false");
    shop.agreed(Mode::Apply, Claims::default()).await;
    let before = shop.ids().await;
    assert!(shop.plan().await.is_empty(), "as the site has it");

    shop.write(crate::ownership::shop::OURS, "");
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
    let told = plan.refused.iter();
    let told: Vec<String> = told
        .map(|one| format!("{}: {}", one.addr.local, one.why))
        .collect();
    assert_eq!(told.len(), 4, "each machine and the volume: {told:#?}");
    for (addr, word) in [
        ("machine.db: ", "make the machine anew"),
        ("machines.web: ", "make the machine anew"),
        ("volume.data: ", "once its data is elsewhere"),
    ] {
        let mut of = told.iter().filter(|one| one.starts_with(addr));
        assert!(
            of.all(|one| one.contains("none") && one.contains(word)),
            "{addr}: {told:#?}"
        );
    }
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}
