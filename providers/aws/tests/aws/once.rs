//! Exactly once: what repeats, what gets lost, what is refused.

use std::collections::{BTreeMap, BTreeSet};

use strat_conformance::Bench;
use strat_model::{
    Bytes, ErrorKind, Field, Kind, MachineSpec, NetworkSpec, Resource, ResourceId, ResourceState,
    Spec, VolumeSpec,
};
use strat_provider::{Filter, ProviderExt as _};

use crate::harness::{Moto, machine_spec, subnet_spec};
use crate::upset::end_route;

/// A small machine in a network and subnet of its own.
pub(crate) async fn machine(bench: &Bench<'_>) -> MachineSpec<ResourceId> {
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    });
    let network = bench.create(&network, "net").await.id;
    machine_spec(&bench.create(&subnet_spec(&network), "sub").await.id)
}

async fn count(bench: &Bench<'_>, kind: Kind) -> usize {
    bench.list(kind, &Filter::Owner(bench.owner())).await.len()
}

#[tokio::test]
async fn a_fleet_whose_answer_got_lost_is_not_made_twice() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    moto.filter.lose("RunInstances");
    moto.filter.take_calls();
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
    assert_eq!(moto.filter.take_calls()["RunInstances"], 2);
    bench.clear_up().await;
}

#[tokio::test]
async fn a_fleet_goes_up_in_one_call_and_each_machine_knows_its_name() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    // An apply has looked at the images by then, and knows what disks they bring.
    let images = bench.provider.images().expect("a facet");
    images.public_images().await.expect("images");
    moto.filter.take_calls();
    let batch = bench
        .create_batch(&spec, 100, "fleet")
        .await
        .expect("a fleet");
    let calls = moto.filter.take_calls();
    assert_eq!(calls.get("RunInstances"), Some(&1), "{calls:?}");
    assert!(
        calls.values().sum::<u32>() <= 2,
        "the size of the type at most: {calls:?}"
    );
    let listed = bench
        .list(Kind::Machine, &Filter::Owner(bench.owner()))
        .await;
    let names: BTreeSet<_> = listed.iter().map(|machine| machine.name.clone()).collect();
    let made: BTreeSet<_> = batch
        .created
        .iter()
        .map(|machine| machine.name.clone())
        .collect();
    assert_eq!((names.len(), names), (100, made));
    moto.filter.take_calls();
    let ids: Vec<_> = listed.into_iter().map(|machine| machine.id).collect();
    bench
        .provider
        .delete_all(Kind::Machine, &ids)
        .await
        .expect("a delete");
    let calls = moto.filter.take_calls();
    assert_eq!(
        calls,
        BTreeMap::from([("TerminateInstances".to_owned(), 1)])
    );
    bench.clear_up().await;
}

#[tokio::test]
async fn a_token_with_another_request_is_a_precondition() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let mut spec = machine(&bench).await;
    bench
        .create_batch(&spec, 1, "one")
        .await
        .expect("a machine");
    spec.machine_type = "t3.small".to_owned();
    let other = bench
        .create_batch(&spec, 1, "one")
        .await
        .expect_err("another request");
    assert_eq!(other.kind(), ErrorKind::Precondition);
    assert_eq!(other.code(), Some("IdempotentParameterMismatch"));
    let mut volume = VolumeSpec {
        size: Bytes::gib(8),
        class: strat_model::DiskClass::Ssd,
        zone: spec.zone.clone(),
        attach: None,
        labels: strat_model::Labels::new(),
    };
    bench
        .try_create(&Spec::Volume(volume.clone()), "disk")
        .await
        .expect("a volume");
    volume.size = Bytes::gib(9);
    let other = bench
        .try_create(&Spec::Volume(volume), "disk")
        .await
        .expect_err("another size");
    assert_eq!(other.code(), Some("IdempotentParameterMismatch"));
    bench.clear_up().await;
}

#[tokio::test]
async fn a_token_whose_machine_is_dead_answers_with_the_dead_one() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = Spec::Machine(machine(&bench).await);
    let made = bench.create(&spec, "dead").await;
    bench.delete(&made).await;
    let again = bench.try_create(&spec, "dead").await.expect("the dead one");
    assert_eq!((again.id, again.state), (made.id, ResourceState::Deleting));
    assert_eq!(count(&bench, Kind::Machine).await, 0);
    bench.clear_up().await;
}

#[tokio::test]
async fn a_short_batch_is_filled_with_what_there_is_and_never_twice() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    moto.filter.leave_stock("t3.micro", spec.zone.as_str(), 3);
    moto.filter.lose("RunInstances");
    // The refusal of the whole is what gets lost first, then nothing.
    bench
        .create_batch(&spec, 5, "some")
        .await
        .expect_err("no answer");
    let some = bench.create_batch(&spec, 5, "some").await.expect("a part");
    assert_eq!(some.created.len(), 3);
    let why = some.shortfall.expect("a reason");
    assert_eq!(why.code(), Some("InsufficientInstanceCapacity"));
    // The stock is back, and the same call again still means the same three.
    moto.filter.leave_stock("t3.micro", spec.zone.as_str(), 9);
    let again = bench
        .create_batch(&spec, 5, "some")
        .await
        .expect("the same part");
    assert_eq!(again.created.len(), 3);
    assert_eq!(count(&bench, Kind::Machine).await, 3);
    bench.clear_up().await;
}

#[tokio::test]
async fn too_many_calls_are_throttling_and_nothing_else() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    moto.filter.throttle("DescribeVpcs", 1);
    let filter = Filter::Owner(bench.owner());
    let busy = bench
        .provider
        .list_all(Kind::Network, &filter)
        .await
        .expect_err("too many");
    assert_eq!(busy.kind(), ErrorKind::Throttled, "{busy}");
    assert!(
        bench
            .provider
            .list_all(Kind::Network, &filter)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_network_that_was_left_half_made_is_finished() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = Spec::Network(NetworkSpec {
        cidr: "10.8.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    });
    for action in [
        "CreateVpc",
        "CreateInternetGateway",
        "AttachInternetGateway",
        "CreateRoute",
    ] {
        moto.filter.lose(action);
        let lost = bench
            .try_create(&spec, action)
            .await
            .expect_err("no answer");
        assert_eq!(lost.kind(), ErrorKind::Transient, "{lost}");
        let made = bench
            .try_create(&spec, action)
            .await
            .expect("the same network");
        assert_eq!(made.mark, Some(bench.mark(Kind::Network, action)));
        let seen = bench
            .look(Kind::Network, &made.id)
            .await
            .expect("it is there");
        assert_eq!(seen.mark, made.mark, "{action}: it is whole");
    }
    assert_eq!(count(&bench, Kind::Network).await, 4);
    let gateways = moto.ec2().await.describe_internet_gateways().filters(
        aws_sdk_ec2::types::Filter::builder()
            .name("tag:stratiform:owner")
            .values(bench.owner().to_string())
            .build(),
    );
    let gateways = gateways.send().await.expect("gateways");
    assert_eq!(gateways.internet_gateways().len(), 4);
    bench.clear_up().await;
}

/// A route that somebody took away is told and mended. Where the gateway is missing, too, nobody took
/// anything away: the network's making was cut off.
#[tokio::test]
async fn a_network_without_its_way_out_is_told_and_mended() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = Spec::Network(NetworkSpec {
        cidr: "10.9.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    });
    let made = bench.create(&spec, "net").await;
    let ec2 = moto.ec2().await;
    for is_new in [false, true] {
        end_route(&ec2, &made.id).await;
        if is_new {
            let of = aws_sdk_ec2::types::Filter::builder()
                .name("attachment.vpc-id")
                .values(made.id.as_str());
            let found = ec2.describe_internet_gateways().filters(of.build());
            let found = found.send().await.expect("gateways");
            let gateway = found.internet_gateways()[0].internet_gateway_id();
            let call = ec2.detach_internet_gateway().vpc_id(made.id.as_str());
            let call = call.set_internet_gateway_id(gateway.map(str::to_owned));
            call.send().await.expect("DetachInternetGateway");
        }
        let seen = bench.ready(Kind::Network, &made.id).await;
        let told = &seen.departures()["default route"];
        assert_eq!(
            (told.is.as_str(), told.ought.as_str()),
            ("none", "leading to its internet gateway")
        );
        assert_eq!(seen.is_unfinished(), is_new);
        let digest = |of: &Resource| of.mark.as_ref().map(|mark| mark.spec.clone());
        assert_eq!(digest(&seen), digest(&made), "its mark says what it said");
        bench.update(&seen, &spec, &[Field::Setup]).await;
        let seen = bench.ready(Kind::Network, &made.id).await;
        assert!(!seen.departs(), "{seen:?}");
    }
    bench.clear_up().await;
}
