//! What the tests share: a small world and specs of every kind.

use std::sync::Arc;
use std::time::Duration;

use strat_model::{
    Bytes, CapacityKind, ImageRef, MachineSpec, Mark, Name, NetworkSpec, Resource, ResourceId,
    ResourceState, Spec, SubnetSpec, Token, VolumeSpec,
};
use strat_provider::{Clock, Provider, ProviderExt, TokioClock};
use strat_sim::{Behaviour, Profile, SimSite, World};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    let start = "2026-01-01T00:00:00Z".parse().expect("a time");
    Arc::new(TokioClock::starting_at(start))
}

pub(crate) fn world() -> World {
    World::in_memory(7, clock())
}

pub(crate) fn site(profile: Profile) -> SimSite {
    let region = match profile {
        Profile::Aws => "us-east-1",
        Profile::Azure => "westeurope",
        Profile::Gcp => "europe-west1",
        Profile::Onprem => "dc1",
    };
    SimSite::new(name("here"), profile, region).behaving(Behaviour::instant())
}

pub(crate) fn mark(addr: &str) -> Mark {
    Mark {
        owner: "shop".parse().expect("an owner"),
        addr: addr.parse().expect("an address"),
        spec: "0123456789abcdef".to_owned(),
        generation: 1,
        origin: None,
        protect: false,
        disposable: false,
        notes: strat_model::Shared::new(),
    }
}

pub(crate) fn token(text: &str) -> Token {
    let addr = "network.x@y".parse().expect("an address");
    Token::derive(text, &addr, 1, 1, 0, "")
}

/// Makes a thing with a token of its own name.
pub(crate) async fn make(
    provider: &dyn Provider,
    spec: Spec<ResourceId>,
    called: &str,
) -> Resource {
    let mark = mark(&format!("{}.{called}@here", spec.kind()));
    provider
        .create(&spec, called, &mark, &token(called))
        .await
        .unwrap_or_else(|error| panic!("{called}: {error}"))
}

pub(crate) fn network() -> Spec<ResourceId> {
    Spec::Network(NetworkSpec {
        cidr: "10.0.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    })
}

pub(crate) fn subnet(network: &ResourceId, cidr: &str, zone: Option<&str>) -> Spec<ResourceId> {
    Spec::Subnet(SubnetSpec {
        network: network.clone(),
        cidr: cidr.parse().expect("a range"),
        zone: zone.map(name),
        internet: None,
        labels: strat_model::Labels::new(),
    })
}

/// A network and a subnet in the first zone.
pub(crate) async fn ground(provider: &dyn Provider) -> ResourceId {
    let net = make(provider, network(), "net").await;
    let zones = provider.zones().await.expect("zones");
    let zonal = provider.capabilities().subnets == strat_model::SubnetScope::Zonal;
    let zone = zonal.then(|| zones[0].as_str());
    make(provider, subnet(&net.id, "10.0.0.0/20", zone), "sub")
        .await
        .id
}

pub(crate) async fn machine(
    provider: &dyn Provider,
    subnet: &ResourceId,
) -> MachineSpec<ResourceId> {
    let offers = provider.list_offers().await.expect("offers");
    let zones = provider.zones().await.expect("zones");
    let images = provider.public_images().await.expect("images");
    let offer = offers
        .iter()
        .find(|o| o.zone == zones[0] && o.cpu == 2 && o.capacity == CapacityKind::OnDemand);
    let (machine_type, memory, capacity) = match offer {
        Some(offer) => (offer.machine_type.clone(), offer.memory, offer.capacity),
        None => ("flex-2-4096".to_owned(), Bytes::gib(4), CapacityKind::Owned),
    };
    MachineSpec {
        machine_type,
        cpu: 2,
        memory,
        capacity,
        zone: zones[0].clone(),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: images.get("debian-12", None).expect("an image").clone(),
        },
        subnet: subnet.clone(),
        firewalls: strat_model::Shared::new(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels: strat_model::Labels::new(),
    }
}

pub(crate) async fn volume(provider: &dyn Provider) -> Spec<ResourceId> {
    let zones = provider.zones().await.expect("zones");
    Spec::Volume(VolumeSpec {
        size: Bytes::gib(10),
        class: strat_model::DiskClass::Ssd,
        zone: zones[0].clone(),
        attach: None,
        labels: strat_model::Labels::new(),
    })
}

pub(crate) async fn state(provider: &dyn Provider, thing: &Resource) -> Option<ResourceState> {
    let ids = [thing.id.clone()];
    let found = provider
        .observe()
        .get(thing.kind(), &ids)
        .await
        .expect("get");
    found.first().map(|thing| thing.state)
}

pub(crate) async fn pass(ms: u64) {
    tokio::time::advance(Duration::from_millis(ms)).await;
}
