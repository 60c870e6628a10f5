//! What AWS is asked for beyond the fields of a block: changed with the vendor's own client, told with what
//! is and what ought to be, made good by an update, and then not told any more.

use std::collections::BTreeMap;

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use strat_conformance::Bench;
use strat_model::{
    BucketSpec, Bytes, Departure, DiskClass, Field, Kind, Resource, Spec, VolumeSpec,
};
use strat_provider::Filter;
use stratiform::{Claims, Mode};

use crate::harness::Moto;
use crate::once::machine;
use crate::ownership::shop::Shop;
use crate::upset;

/// What departs, by what it is about.
fn told(thing: &Resource) -> BTreeMap<String, (String, String)> {
    let departures = thing.departures().into_iter();
    let pair = |(what, one): (&str, Departure)| (what.to_owned(), (one.is, one.ought));
    departures.map(pair).collect()
}

/// Looks at a thing, which is to be told so, and at what an update makes of it.
async fn check(bench: &Bench<'_>, before: &Resource, wanted: &[(&str, &str, &str)]) {
    let kind = before.kind();
    let seen = bench.ready(kind, &before.id).await;
    let wanted = wanted
        .iter()
        .map(|(what, is, ought)| ((*what).to_owned(), ((*is).to_owned(), (*ought).to_owned())));
    assert_eq!(told(&seen), wanted.collect(), "{kind}");
    assert_eq!(seen.stays_departed(), None, "{kind}");
    bench.update(&seen, &seen.spec, &[Field::Setup]).await;
    let after = bench.ready(kind, &before.id).await;
    assert_eq!(told(&after), BTreeMap::new(), "{kind} is as it was made");
}

#[tokio::test]
async fn what_was_set_up_and_changed_is_told_and_made_good() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let spec = machine(&bench).await;
    let subnet = bench.ready(Kind::Subnet, &spec.subnet).await;
    let Spec::Subnet(of) = &subnet.spec else {
        panic!("a subnet");
    };
    let network = bench.ready(Kind::Network, &of.network).await;
    let made = bench.create_batch(&spec, 1, "changed").await;
    let machine = made.expect("a machine").created.remove(0);
    let volume = Spec::Volume(VolumeSpec {
        size: Bytes::gib(100),
        class: DiskClass::Ssd,
        zone: spec.zone.clone(),
        attach: None,
        labels: strat_model::Labels::new(),
    });
    let volume = bench.create(&volume, "changed").await;
    let bucket = Spec::Bucket(BucketSpec {
        versioning: false,
        labels: strat_model::Labels::new(),
    });
    let bucket = bench.create(&bucket, "changed").await;
    for thing in [&network, &subnet, &machine, &volume, &bucket] {
        let thing = bench.ready(thing.kind(), &thing.id).await;
        assert_eq!(told(&thing), BTreeMap::new(), "nothing was changed yet");
    }

    upset::change(&moto, &network, "default security group").await;
    let wanted = (
        "default security group",
        "admitting tcp 22 from 0.0.0.0/0",
        "admitting nobody",
    );
    check(&bench, &network, &[wanted]).await;

    upset::change(&moto, &network, "DNS resolution").await;
    check(&bench, &network, &[("DNS resolution", "off", "on")]).await;

    for what in ["public access", "encryption"] {
        upset::change(&moto, &bucket, what).await;
    }
    let wanted = [
        (
            "public access",
            "let in by access lists and policies",
            "shut out",
        ),
        ("encryption", "none", "AES256"),
    ];
    check(&bench, &bucket, &wanted).await;
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(false)
        .restrict_public_buckets(false)
        .build();
    let s3 = moto.s3().await;
    let open = s3.put_public_access_block().bucket(bucket.id.as_str());
    let open = open.public_access_block_configuration(block).send().await;
    open.expect("PutPublicAccessBlock");
    let wanted = (
        "public access",
        "let in by new policies, policies",
        "shut out",
    );
    check(&bench, &bucket, &[wanted]).await;

    let table = upset::lead_elsewhere(&ec2, &subnet).await;
    let wanted = (
        "route table",
        table.as_str(),
        "the one for its way to the internet",
    );
    check(&bench, &subnet, &[wanted]).await;
    let end = ec2.delete_route_table().route_table_id(&table);
    end.send().await.expect("DeleteRouteTable");

    for what in ["metadata tokens", "source/destination check"] {
        upset::change(&moto, &machine, what).await;
    }
    let wanted = [
        ("metadata tokens", "optional", "required"),
        ("source/destination check", "off", "on"),
    ];
    check(&bench, &machine, &wanted).await;

    for what in ["operations a second", "MiB a second"] {
        upset::change(&moto, &volume, what).await;
    }
    let wanted = [
        ("MiB a second", "500", "125"),
        ("operations a second", "6000", "3000"),
    ];
    check(&bench, &volume, &wanted).await;
    bench.clear_up().await;
}

/// A profile that somebody gave a machine is told and left: what runs there may rely on it.
#[tokio::test]
async fn a_profile_that_somebody_gave_a_machine_is_told_and_left() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    let made = bench.create_batch(&spec, 1, "profile").await;
    let machine = made.expect("a machine").created.remove(0);
    let machine = bench.ready(Kind::Machine, &machine.id).await;
    upset::change(&moto, &machine, "instance profile").await;
    let seen = bench.ready(Kind::Machine, &machine.id).await;
    let departures = told(&seen);
    let (is, ought) = &departures["instance profile"];
    assert!(
        is.ends_with(&machine.name) && ought == "none",
        "{departures:?}"
    );
    let why = seen.stays_departed().expect("it stays");
    assert!(why.contains("disassociate-iam-instance-profile"), "{why}");
    bench.clear_up().await;
}

/// What somebody else may rely on is told, with the way to take it back, and left: a volume on a machine,
/// another key of a bucket, names for the machines of a network.
#[tokio::test]
async fn what_others_may_rely_on_is_told_and_left() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let spec = machine(&bench).await;
    let subnet = bench.ready(Kind::Subnet, &spec.subnet).await;
    let Spec::Subnet(of) = &subnet.spec else {
        panic!("a subnet");
    };
    let network = bench.ready(Kind::Network, &of.network).await;
    upset::change(&moto, &network, "DNS host names").await;

    let made = bench.create_batch(&spec, 1, "extra").await;
    let machine = made.expect("a machine").created.remove(0);
    let machine = bench.ready(Kind::Machine, &machine.id).await;
    assert_eq!(told(&machine), BTreeMap::new());
    let extra = upset::attach_another(&ec2, &machine).await;

    let bucket = Spec::Bucket(BucketSpec {
        versioning: false,
        labels: strat_model::Labels::new(),
    });
    let bucket = bench.create(&bucket, "extra").await;
    upset::encrypt_with(&moto, &bucket.id, "alias/theirs").await;

    for (thing, what, is, ought, way) in [
        (
            &network,
            "DNS host names",
            "on",
            "off",
            "modify-vpc-attribute",
        ),
        (
            &machine,
            "volumes",
            extra.as_str(),
            "none but those of the topology",
            "detach-volume",
        ),
        (
            &bucket,
            "encryption",
            "aws:kms with alias/theirs",
            "AES256",
            "delete-bucket-encryption",
        ),
    ] {
        let seen = bench.ready(thing.kind(), &thing.id).await;
        let pair = (is.to_owned(), ought.to_owned());
        assert_eq!(told(&seen), BTreeMap::from([(what.to_owned(), pair)]));
        let why = seen.stays_departed().expect("it stays");
        assert!(why.contains(way), "{why}");
        let listed = bench
            .list(thing.kind(), &Filter::Owner(bench.owner()))
            .await;
        let listed = listed.iter().find(|one| one.id == thing.id);
        assert_eq!(told(listed.expect("it is listed")), told(&seen));
    }
    let call = ec2.detach_volume().volume_id(&extra);
    let call = call.instance_id(machine.id.as_str()).send().await;
    call.expect("DetachVolume");
    let seen = bench.ready(Kind::Machine, &machine.id).await;
    assert_eq!(told(&seen), BTreeMap::new());
    let call = ec2.delete_volume().volume_id(&extra).send().await;
    call.expect("DeleteVolume");
    bench.clear_up().await;
}

/// The same of things that an apply made, whose marks say which call that was.
#[tokio::test]
async fn an_apply_makes_good_what_was_changed() {
    let shop = Shop::applied("setup").await;
    let (machine, volume) = (shop.at("machine.db").await, shop.at("volume.data").await);
    upset::change(&shop.moto, &machine, "metadata tokens").await;
    for what in ["operations a second", "MiB a second"] {
        upset::change(&shop.moto, &volume, what).await;
    }
    let network = shop.at("network.core").await;
    upset::change(&shop.moto, &network, "default route").await;
    let plan = shop.plan().await;
    let drift: Vec<String> = plan.drift().map(|change| change.addr.to_string()).collect();
    assert_eq!(drift.len(), 3, "{:#?}", plan.changes);
    for thing in ["machine.db@", "network.core@", "volume.data@"] {
        assert!(
            drift.iter().any(|addr| addr.starts_with(thing)),
            "{drift:?}"
        );
    }
    for change in plan.drift() {
        assert!(change.reason.contains("behind"), "{}", change.reason);
    }
    shop.agreed(Mode::Apply, Claims::default()).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "{:#?}", again.changes);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}
