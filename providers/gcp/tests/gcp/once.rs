//! Exactly once: what repeats, what gets lost, what Google remembers and what it forgot.

use std::collections::BTreeSet;

use strat_conformance::Bench;
use strat_gce::Recorded;
use strat_model::{
    Bytes, DiskClass, ErrorKind, Kind, Labels, MachineSpec, NetworkSpec, ResourceId, Spec,
    SubnetSpec, VolumeSpec,
};
use strat_provider::Filter;

use crate::harness::{Google, ZONE, machine_spec};

/// A small machine in a network and subnet of its own.
pub(crate) async fn machine(bench: &Bench<'_>) -> MachineSpec<ResourceId> {
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: Labels::new(),
    });
    let network = bench.create(&network, "net").await.id;
    let subnet = Spec::Subnet(SubnetSpec {
        network,
        cidr: "10.6.0.0/20".parse().expect("a range"),
        zone: None,
        internet: None,
        labels: Labels::new(),
    });
    machine_spec(&bench.create(&subnet, "sub").await.id)
}

pub(crate) fn volume() -> Spec<ResourceId> {
    Spec::Volume(VolumeSpec {
        size: Bytes::gib(20),
        class: DiskClass::Ssd,
        zone: ZONE.parse().expect("a zone"),
        attach: None,
        labels: Labels::new(),
    })
}

async fn count(bench: &Bench<'_>, kind: Kind) -> usize {
    bench.list(kind, &Filter::Owner(bench.owner())).await.len()
}

fn of_method<'c>(calls: &'c [Recorded], method: &str) -> Vec<&'c Recorded> {
    let meant = calls.iter().filter(|call| call.id.ends_with(method));
    meant.collect()
}

fn request_id(call: &Recorded) -> Option<&str> {
    let mut query = call.query.iter();
    query
        .find(|(key, _)| key == "requestId")
        .map(|(_, id)| id.as_str())
}

#[tokio::test]
async fn a_fleet_whose_answer_got_lost_is_not_made_twice() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    google.gce.take_calls();
    google.gce.lose("instances.bulkInsert", 1);
    let lost = bench
        .create_batch(&spec, 5, "fleet")
        .await
        .expect_err("no answer");
    assert_eq!(lost.kind(), ErrorKind::Transient, "{lost}");
    let again = bench
        .create_batch(&spec, 5, "fleet")
        .await
        .expect("the same fleet");
    assert_eq!((again.created.len(), again.shortfall.is_none()), (5, true));
    assert_eq!(count(&bench, Kind::Machine).await, 5);
    let calls = google.gce.take_calls();
    let sent = of_method(&calls, "instances.bulkInsert");
    assert_eq!(sent.len(), 2);
    assert_eq!(request_id(sent[0]), request_id(sent[1]));
}

#[tokio::test]
async fn an_operation_that_outlives_its_caller_is_found_again() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    google.gce.hold_operations(true);
    {
        let spec = volume();
        let create = bench.try_create(&spec, "disk");
        let begun = async {
            loop {
                let calls = google.gce.take_calls();
                if !of_method(&calls, "zoneOperations.wait").is_empty() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        // The caller gives up while Google is at it.
        tokio::select! {
            made = create => panic!("nothing is done yet: {made:?}"),
            () = begun => {}
        }
    }
    google.gce.hold_operations(false);
    google.gce.take_calls();
    let other = Bench::new(&google).await;
    let found = other
        .try_create(&volume(), "disk")
        .await
        .expect("found again");
    assert_eq!(count(&other, Kind::Volume).await, 1);
    assert_eq!(found.id, ResourceId::from(format!("{ZONE}/{}", found.name)));
    assert_eq!(of_method(&google.gce.take_calls(), "disks.insert").len(), 1);
}

#[tokio::test]
async fn what_google_remembers_of_a_request_may_be_over() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    // What was made is gone again, past us.
    let made = bench.create(&volume(), "disk").await;
    let path = format!("projects/my-project/zones/{ZONE}/disks/{}", made.name);
    assert!(google.gce.remove(&path));
    let again = bench
        .try_create(&volume(), "disk")
        .await
        .expect("made anew");
    assert_eq!(again.id, made.id);
    assert_eq!(count(&bench, Kind::Volume).await, 1);

    // What failed is tried again, once there is room.
    let spec = machine(&bench).await;
    google.gce.leave_stock("*", "*", 0);
    let none = bench
        .create_batch(&spec, 1, "late")
        .await
        .expect_err("none left");
    assert_eq!(none.kind(), ErrorKind::Capacity, "{none}");
    google.gce.restock();
    let late = bench
        .create_batch(&spec, 1, "late")
        .await
        .expect("there is one now");
    assert_eq!(late.created.len(), 1);
}

#[tokio::test]
async fn once_google_forgot_a_request_the_name_is_enough() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    let first = bench
        .create_batch(&spec, 3, "fleet")
        .await
        .expect("a fleet");
    let disk = bench.create(&volume(), "disk").await;
    google.gce.forget_requests();
    let second = bench
        .create_batch(&spec, 3, "fleet")
        .await
        .expect("the same fleet");
    let ids = |batch: &strat_provider::MachineBatch| {
        batch
            .created
            .iter()
            .map(|one| one.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(
        bench
            .try_create(&volume(), "disk")
            .await
            .expect("the same")
            .id,
        disk.id
    );
    assert_eq!(
        (
            count(&bench, Kind::Machine).await,
            count(&bench, Kind::Volume).await
        ),
        (3, 1)
    );
}

#[tokio::test]
async fn a_short_batch_is_filled_with_what_there_is_and_never_twice() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    google.gce.leave_stock(&spec.machine_type, ZONE, 2);
    let some = bench.create_batch(&spec, 5, "fleet").await.expect("some");
    assert_eq!(some.created.len(), 2);
    let why = some.shortfall.expect("it says why");
    assert_eq!(why.code(), Some("ZONE_RESOURCE_POOL_EXHAUSTED"), "{why}");
    google.gce.restock();
    let all = bench.create_batch(&spec, 5, "fleet").await.expect("all");
    let names: BTreeSet<_> = all.created.iter().map(|one| one.name.clone()).collect();
    assert_eq!((names.len(), all.shortfall.is_none()), (5, true));
    assert!(some.created.iter().all(|one| names.contains(&one.name)));
    assert_eq!(count(&bench, Kind::Machine).await, 5);
}

#[tokio::test]
async fn every_call_that_makes_something_has_a_request_id_of_its_own() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 2, "fleet")
        .await
        .expect("a fleet");
    bench
        .create_batch(&spec, 1, "one")
        .await
        .expect("a machine");
    bench.create(&volume(), "disk").await;
    let calls = google.gce.take_calls();
    let makes = |call: &&Recorded| call.id.ends_with("nsert") && call.id.starts_with("compute.");
    let made: Vec<_> = calls.iter().filter(makes).collect();
    let ids: BTreeSet<_> = made.iter().filter_map(|call| request_id(call)).collect();
    assert!(made.len() >= 5 && ids.len() == made.len(), "{made:#?}");
}
