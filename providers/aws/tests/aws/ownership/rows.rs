//! Two things at one address, and reads that are forbidden.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ResourceType, TagSpecification};
use strat_model::ResourceId;
use stratiform::{Claims, Mode};

use super::shop::{Shop, lines};
use crate::harness::REGION;

/// An empty volume that somebody made with all tags of another: nothing but its age tells it from ours.
async fn twin(shop: &Shop, id: &ResourceId) -> ResourceId {
    let tags = TagSpecification::builder()
        .resource_type(ResourceType::Volume)
        .set_tags(Some(shop.tags(id).await))
        .build();
    let ec2 = shop.moto.ec2().await;
    let made = ec2
        .create_volume()
        .availability_zone(format!("{REGION}a"))
        .size(8)
        .tag_specifications(tags);
    let made = made.send().await.expect("a volume");
    ResourceId::from(made.volume_id().expect("an id"))
}

#[tokio::test]
async fn of_two_that_are_both_witnessed_neither_is_touched() {
    for forgotten in [false, true] {
        let shop = Shop::applied(if forgotten { "twins" } else { "pair" }).await;
        let volume = shop.at("volume.data").await.id;
        let twin = twin(&shop, &volume).await;
        if forgotten {
            shop.forget();
        }
        let before = shop.ids().await;
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        let said = lines(&plan);
        assert!(plan.changes.is_empty(), "{forgotten}: {said:#?}");
        let told = |line: &String| {
            line.contains(volume.as_str())
                && line.contains(twin.as_str())
                && line.contains("neither is touched")
        };
        assert!(said.iter().any(told), "{forgotten}: {said:#?}");
        assert_eq!(shop.ids().await, before);
        let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
        let (plan, _) = destroyed.expect("it is applied");
        let left = shop.ids().await;
        assert!(
            left.contains(&volume) && left.contains(&twin),
            "{forgotten}: {left:?} {:#?}",
            lines(&plan)
        );
    }
}

#[tokio::test]
async fn of_two_copies_whose_original_is_gone_neither_is_touched_and_no_third_is_made() {
    let shop = Shop::applied("orphans").await;
    let db = shop.at("machine.db").await;
    let volume = shop.at("volume.data").await;
    let mut copies = BTreeSet::new();
    for original in [&db, &db, &volume, &volume] {
        copies.insert(ResourceId::from(shop.copy(original).await));
    }
    let ec2 = shop.moto.ec2().await;
    let call = ec2.terminate_instances().instance_ids(db.id.as_str());
    call.send().await.expect("terminated");
    let call = ec2.delete_volume().volume_id(volume.id.as_str());
    call.send().await.expect("deleted");
    // Nothing but the marks says what was there.
    shop.forget();
    let before = shop.ids().await;
    assert!(copies.is_subset(&before), "{before:?}");
    let applied = shop.apply(Mode::Apply, Claims::default()).await;
    let (plan, failures) = applied.expect("it is applied");
    let said = lines(&plan);
    assert_eq!(shop.ids().await, before, "{failures:?} {said:#?}");
    for copy in &copies {
        let told = |line: &String| line.contains(copy.as_str());
        assert!(said.iter().any(told), "{copy}: {said:#?}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_neither_made_nor_deleted() {
    let shop = Shop::applied("forbidden").await;
    let before = shop.ids().await;
    let reads = [
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeSecurityGroups",
        "DescribeAddresses",
        "DescribeInstances",
        "DescribeVolumes",
    ];
    for (number, action) in reads.into_iter().enumerate() {
        let forgotten = number % 2 == 1;
        if forgotten {
            shop.forget();
        }
        let filter = &shop.moto.filter;
        filter.refuse(action, "UnauthorizedOperation", u32::MAX);
        let applied = shop.apply(Mode::Apply, Claims::default()).await;
        filter.refuse(action, "UnauthorizedOperation", 0);
        let (plan, _) = applied.unwrap_or_else(|error| panic!("{action}: {error}"));
        let said = lines(&plan);
        assert!(plan.changes.is_empty(), "{action} {forgotten}: {said:#?}");
        let told = |line: &String| line.contains("UnauthorizedOperation");
        assert!(said.iter().any(told), "{action} {forgotten}: {said:#?}");
        assert_eq!(shop.ids().await, before, "{action}");
    }
    // Nor while everything is to go.
    let filter = &shop.moto.filter;
    filter.refuse("DescribeInstances", "UnauthorizedOperation", u32::MAX);
    let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
    filter.refuse("DescribeInstances", "UnauthorizedOperation", 0);
    let (plan, _) = destroyed.expect("it is applied");
    let left = shop.ids().await;
    let bucket = |id: &&ResourceId| !id.as_str().starts_with("owners-");
    let cloud = before.iter().filter(bucket);
    let gone: Vec<_> = cloud.filter(|id| !left.contains(*id)).collect();
    assert!(gone.is_empty(), "{gone:?}: {:#?}", lines(&plan));
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

/// What is asked of a network and a bucket for `setup` alone.
const OF_SETUP: [&str; 3] = [
    "DescribeVpcAttribute",
    "s3:GET:encryption",
    "s3:GET:publicAccessBlock",
];

/// How many calls a whole apply makes, but for those of `setup`; how many those are; and which.
async fn calls_of(shop: &Shop) -> (u32, u32, BTreeMap<String, u32>) {
    shop.moto.filter.take_calls();
    shop.agreed(Mode::Apply, Claims::default()).await;
    let calls = shop.moto.filter.take_calls();
    let setup = OF_SETUP
        .iter()
        .filter_map(|action| calls.get(*action))
        .sum();
    (calls.values().sum::<u32>() - setup, setup, calls)
}

/// The figures are those of `docs/performance.md`.
#[tokio::test]
async fn an_apply_makes_so_many_calls_and_no_more() {
    let shop = Shop::new("calls").await;
    let (first, setup, calls) = calls_of(&shop).await;
    assert!(first <= 78 + 2, "{first} calls: {calls:#?}");
    // Two of a network and two of a bucket, each time that they are looked at.
    assert!(setup <= 4, "{calls:#?}");
    let (again, setup, calls) = calls_of(&shop).await;
    // Each look at machines asks what is attached to them that is not ours, too.
    assert!(again <= 40 + 2, "{again} calls: {calls:#?}");
    assert!(setup <= 8, "{calls:#?}");
    shop.forget();
    let (fresh, _, calls) = calls_of(&shop).await;
    assert!(fresh <= again, "{fresh} calls: {calls:#?}");
    shop.agreed(Mode::Destroy, Claims::default()).await;
}
