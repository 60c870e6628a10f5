//! How many calls it takes to see.

use std::collections::BTreeMap;

use strat_conformance::Bench;
use strat_model::{Bytes, DiskClass, DiskSpec, Kind};
use strat_provider::{Filter, ProviderExt as _};

use crate::harness::Moto;
use crate::moto;
use crate::once::machine;

/// Everything that a plan looks at, and the calls that it took.
async fn observe(moto: &Moto, bench: &Bench<'_>) -> (usize, BTreeMap<String, u32>) {
    let filter = Filter::Owner(bench.owner());
    moto.filter.take_calls();
    let mut seen = 0;
    for kind in Kind::ALL {
        seen += bench
            .provider
            .list_all(kind, &filter)
            .await
            .expect("a list")
            .len();
    }
    (seen, moto.filter.take_calls())
}

#[tokio::test]
async fn seeing_a_thousand_machines_costs_their_pages_and_a_constant() {
    // A moto of its own: a thousand machines would slow the others down.
    let server = moto::Moto::start();
    let moto = Moto::on(server.port).await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 1, "first")
        .await
        .expect("a machine");
    let (few, before) = observe(&moto, &bench).await;
    for batch in 0..10 {
        let made = bench
            .create_batch(&spec, 100, &format!("fleet{batch}"))
            .await;
        assert_eq!(made.expect("a fleet").created.len(), 100);
    }
    let (many, after) = observe(&moto, &bench).await;
    assert_eq!(many, few + 1000);
    let total = |calls: &BTreeMap<String, u32>| calls.values().sum::<u32>();
    let pages = after["DescribeInstances"];
    assert!(
        pages <= 11,
        "a page holds up to a thousand reservations: {after:?}"
    );
    assert_eq!(
        total(&after) - pages,
        total(&before) - before["DescribeInstances"]
    );
    assert!(total(&after) <= 20, "{after:?}");
}

#[tokio::test]
async fn own_disks_cost_one_call_for_many_machines() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let mut spec = machine(&bench).await;
    spec.disks = vec![DiskSpec {
        size: Bytes::gib(12),
        class: DiskClass::Ssd,
    }];
    bench
        .create_batch(&spec, 50, "fleet")
        .await
        .expect("a fleet");
    let (_, calls) = observe(&moto, &bench).await;
    assert_eq!(calls["DescribeInstances"], 1);
    assert_eq!(
        calls["DescribeVolumes"], 2,
        "their disks, and the list of volumes: {calls:?}"
    );
    let filter = Filter::Owner(bench.owner());
    assert!(
        bench.list(Kind::Volume, &filter).await.is_empty(),
        "a disk is no volume"
    );
    bench.clear_up().await;
}
