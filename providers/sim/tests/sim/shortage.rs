//! Stock, quotas, addresses, hardware: what runs out, and how that is said.

use std::collections::BTreeMap;

use strat_model::{
    Bytes, ErrorKind, Kind, Labels, MachineSpec, ResourceId, Scope, SiteCapacity, Spec,
};
use strat_provider::{CreateMachines, MachineBatch, Provider, ProviderExt};
use strat_sim::{Behaviour, Profile};

use crate::common::{ground, machine, make, mark, network, site, subnet, token, volume, world};

async fn batch(
    provider: &dyn Provider,
    spec: &MachineSpec<ResourceId>,
    count: usize,
    word: &str,
) -> strat_model::Result<MachineBatch> {
    let names: Vec<_> = (0..count).map(|n| format!("{word}-{n}")).collect();
    let (mark, token) = (mark("machines.web@here"), token(word));
    let request = CreateMachines {
        spec,
        names: &names,
        mark: &mark,
        token: &token,
    };
    provider.create_machines(request).await
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_filled_as_far_as_the_stock_goes_and_says_so_again() {
    let mut behaviour = Behaviour::instant();
    behaviour.stock = BTreeMap::from([("c5.large".to_owned(), 3)]);
    let here = world()
        .connect(site(Profile::Aws).behaving(behaviour))
        .expect("a site");
    let mut spec = machine(&*here, &ground(&*here).await).await;
    spec.machine_type = "c5.large".to_owned();
    spec.memory = Bytes::gib(4);
    let first = batch(&*here, &spec, 5, "web").await.expect("some");
    let again = batch(&*here, &spec, 5, "web").await.expect("the same");
    for answer in [&first, &again] {
        assert_eq!(answer.created.len(), 3);
        let why = answer.shortfall.as_ref().expect("a reason");
        assert_eq!(
            (why.kind(), why.scope()),
            (ErrorKind::Capacity, Scope::Offer)
        );
        assert_eq!(why.code(), Some("InsufficientInstanceCapacity"));
    }
    let ids: Vec<_> = first
        .created
        .iter()
        .map(|machine| machine.id.clone())
        .collect();
    here.delete_all(Kind::Machine, &ids[..1])
        .await
        .expect("deleted");
    crate::common::pass(1).await;
    assert_eq!(
        batch(&*here, &spec, 5, "more")
            .await
            .expect("one")
            .created
            .len(),
        1
    );
    let none = batch(&*here, &spec, 5, "none")
        .await
        .expect_err("nothing at all");
    assert_eq!(none.kind(), ErrorKind::Capacity);
    let zones = here.zones().await.expect("zones");
    let net = here
        .observe()
        .get(Kind::Subnet, &[spec.subnet.clone()])
        .await
        .expect("it");
    let Spec::Subnet(old) = &net[0].spec else {
        panic!("a subnet")
    };
    let other = subnet(&old.network, "10.0.64.0/24", Some(zones[1].as_str()));
    spec.subnet = make(&*here, other, "other").await.id;
    spec.zone = zones[1].clone();
    assert_eq!(
        batch(&*here, &spec, 5, "elsewhere")
            .await
            .expect("some")
            .created
            .len(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn quotas_count_virtual_cpus_by_family_and_in_all() {
    for (quota, scope) in [("total", Scope::Region), ("t3", Scope::Offer)] {
        let mut behaviour = Behaviour::instant();
        behaviour.quotas = BTreeMap::from([(quota.to_owned(), 5)]);
        let here = world()
            .connect(site(Profile::Aws).behaving(behaviour))
            .expect("a site");
        let mut spec = machine(&*here, &ground(&*here).await).await;
        spec.machine_type = "t3.medium".to_owned();
        spec.memory = Bytes::gib(4);
        let some = batch(&*here, &spec, 3, "web").await.expect("some");
        assert_eq!(some.created.len(), 2, "two of two CPUs fit five");
        let why = some.shortfall.expect("a reason");
        assert_eq!((why.kind(), why.scope()), (ErrorKind::Quota, scope));
        let quotas = here.quotas().await.expect("quotas");
        let own = quotas
            .iter()
            .find(|q| q.family.as_deref().unwrap_or("total") == quota);
        let own = own.expect("the quota is shown");
        assert_eq!((own.cpu_limit, own.cpu_used), (5, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn a_subnet_runs_out_of_addresses() {
    for (profile, room) in [
        (Profile::Aws, 11),
        (Profile::Gcp, 12),
        (Profile::Onprem, 13),
    ] {
        let here = world().connect(site(profile)).expect("a site");
        let net = make(&*here, network(), "net").await;
        let zones = here.zones().await.expect("zones");
        let zone = (profile == Profile::Aws).then(|| zones[0].as_str());
        let small = make(&*here, subnet(&net.id, "10.0.0.16/28", zone), "small").await;
        let spec = machine(&*here, &small.id).await;
        let some = batch(&*here, &spec, 16, "web").await.expect("some");
        assert_eq!(some.created.len(), room, "{profile}");
        let why = some.shortfall.expect("a reason");
        assert_eq!(
            (why.kind(), why.scope()),
            (ErrorKind::Capacity, Scope::Subnet),
            "{why}"
        );
        let first = &some.created[0].attributes["private_ip"];
        let reserved = if profile == Profile::Aws { 4 } else { 2 };
        assert_eq!(*first, format!("10.0.0.{}", 16 + reserved));
        here.delete_all(Kind::Machine, &[some.created[3].id.clone()])
            .await
            .expect("deleted");
        crate::common::pass(1).await;
        let again = batch(&*here, &spec, 1, "late")
            .await
            .expect("its address is free");
        let (one, other) = (&again.created[0].attributes, &some.created[3].attributes);
        assert_eq!(one["private_ip"], other["private_ip"]);
    }
}

#[tokio::test(start_paused = true)]
async fn owned_hardware_runs_out() {
    let capacity = SiteCapacity {
        cpu: 5,
        memory: Bytes::gib(64),
        disk: Some(Bytes::gib(25)),
        gpus: [("L4".to_owned(), 1)].into(),
    };
    let here = world()
        .connect(site(Profile::Onprem).with_capacity(capacity))
        .expect("a site");
    let spec = machine(&*here, &ground(&*here).await).await;
    let some = batch(&*here, &spec, 3, "web").await.expect("some");
    assert_eq!(some.created.len(), 2);
    let why = some.shortfall.expect("a reason");
    assert_eq!(
        (why.kind(), why.scope()),
        (ErrorKind::Capacity, Scope::Offer)
    );
    let free = here.free().await.expect("free").expect("a bound");
    assert_eq!(
        (free.cpu, free.memory, free.disk),
        (1, Bytes::gib(56), Bytes::gib(25))
    );
    make(&*here, volume(&*here).await, "one").await;
    make(&*here, volume(&*here).await, "two").await;
    let (mark, token) = (mark("volume.three@here"), token("three"));
    let full = here
        .create(&volume(&*here).await, "three", &mark, &token)
        .await;
    assert_eq!(full.expect_err("no disk left").kind(), ErrorKind::Capacity);
    assert_eq!(free.gpus["L4"], 1);
    let gpu = strat_model::MachineSpec {
        machine_type: "flex-1-1024-1xL4".to_owned(),
        cpu: 1,
        memory: Bytes::gib(1),
        disks: Vec::new(),
        ..spec.clone()
    };
    let one = batch(&*here, &gpu, 1, "gpu").await.expect("one is free");
    let free = here.free().await.expect("free").expect("a bound");
    assert_eq!(free.gpus["L4"], 0);
    here.delete_all(Kind::Machine, &[some.created[0].id.clone()])
        .await
        .expect("deleted");
    let none = batch(&*here, &gpu, 1, "other").await.expect_err("none is");
    assert!(none.to_string().contains("0 of 1 L4 are free"), "{none}");
    assert_eq!(none.kind(), ErrorKind::Capacity);
    here.delete_all(Kind::Machine, &[one.created[0].id.clone()])
        .await
        .expect("deleted");
    batch(&*here, &gpu, 1, "other")
        .await
        .expect("it is free again");
}

#[tokio::test(start_paused = true)]
async fn what_is_sold_is_not_sold_everywhere() {
    let here = world().connect(site(Profile::Aws)).expect("a site");
    let mut spec = machine(&*here, &ground(&*here).await).await;
    spec.machine_type = "m7i.large".to_owned();
    spec.memory = Bytes::gib(8);
    batch(&*here, &spec, 1, "first")
        .await
        .expect("the first zone has it");
    let zones = here.zones().await.expect("zones");
    spec.zone = zones[2].clone();
    let error = batch(&*here, &spec, 1, "last")
        .await
        .expect_err("the last has not");
    assert_eq!(
        (error.kind(), error.scope()),
        (ErrorKind::Invalid, Scope::Offer),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn bucket_names_are_taken_everywhere() {
    let world = world();
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let mut other = site(Profile::Aws).in_account("other");
    other.region = "eu-west-1".to_owned();
    let there = world.connect(other).expect("a site");
    let spec = Spec::Bucket(strat_model::BucketSpec {
        versioning: false,
        labels: Labels::new(),
    });
    let made = make(&*here, spec.clone(), "assets").await;
    let (mark, token) = (mark("bucket.assets@there"), token("assets"));
    let create = || there.create(&spec, "assets", &mark, &token);
    let error = create().await.expect_err("taken");
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::AlreadyExists, Some("BucketAlreadyExists"))
    );
    here.delete_all(Kind::Bucket, &[made.id])
        .await
        .expect("deleted");
    create().await.expect("the name is free");
}

#[tokio::test(start_paused = true)]
async fn what_a_cloud_does_not_store_is_refused() {
    let here = world().connect(site(Profile::Aws)).expect("a site");
    let (mark, token) = (mark("network.net@here"), token("net"));
    for labels in [
        (0..50)
            .map(|n| (format!("label-{n}"), String::new()))
            .collect(),
        Labels::from([("k".repeat(129), String::new())]),
        Labels::from([("key".to_owned(), "v".repeat(257))]),
        Labels::from([("aws:reserved".to_owned(), String::new())]),
    ] {
        let mut spec = network();
        *spec.labels_mut() = labels;
        let error = here
            .create(&spec, "net", &mark, &token)
            .await
            .expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    for bad in [
        "",
        "Upper",
        "1st",
        "under_score",
        "dot.ted",
        &"x".repeat(64),
    ] {
        let error = here
            .create(&network(), bad, &mark, &token)
            .await
            .expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}
