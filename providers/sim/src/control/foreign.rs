//! Specs of things that other people might have made.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use strat_model::{
    AddressSpec, BucketSpec, Bytes, CapacityKind, DiskClass, ErrorKind, FirewallSpec, ImageRef,
    ImageSpec, KeypairSpec, Kind, Labels, MachineSpec, Name, NetworkSpec, ResourceId, Result,
    Shared, Spec, SubnetScope, SubnetSpec, VolumeSpec,
};

use super::error;
use crate::rules::{Cloud, zone_of};
use crate::world::Tx;

/// A spec of some kind that makes sense in the region as it is.
pub(super) fn plausible(cloud: &Cloud, tx: &Tx<'_>, kind: Kind) -> Result<Spec<ResourceId>> {
    let labels = Labels::from([("made-by".to_owned(), "hand".to_owned())]);
    Ok(match kind {
        Kind::Network => Spec::Network(NetworkSpec {
            cidr: Ipv4Net::new_assert([192, 168, 0, 0].into(), 20),
            labels,
        }),
        Kind::Subnet => Spec::Subnet(subnet(cloud, tx, labels)?),
        Kind::Firewall => Spec::Firewall(FirewallSpec {
            network: first(tx, Kind::Network)?,
            rules: BTreeSet::new(),
            labels,
        }),
        Kind::Address => Spec::Address(AddressSpec {
            attach: None,
            labels,
        }),
        Kind::Keypair => Spec::Keypair(KeypairSpec {
            public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNvbWVib2R5LWVsc2VzLWtleS1oZXJlISEh"
                .to_owned(),
            labels,
        }),
        Kind::Image => Spec::Image(ImageSpec {
            source: "https://images.example.com/appliance.qcow2".to_owned(),
            sha256: "0".repeat(64),
            labels,
        }),
        Kind::Machine => Spec::Machine(machine(cloud, tx, labels)?),
        Kind::Volume => Spec::Volume(VolumeSpec {
            size: Bytes::gib(10),
            class: DiskClass::Ssd,
            zone: first_zone(cloud)?,
            attach: None,
            labels,
        }),
        Kind::Bucket => Spec::Bucket(BucketSpec {
            versioning: false,
            labels,
        }),
    })
}

fn first(tx: &Tx<'_>, kind: Kind) -> Result<ResourceId> {
    let mut things = tx.region().all();
    let found = things.find(|thing| thing.kind() == kind && thing.is_wanted());
    found.map(|thing| thing.id.clone()).ok_or_else(|| {
        let message = format!("there is no {kind} in {} that it could be in", tx.key());
        error(ErrorKind::Precondition, message)
    })
}

fn first_zone(cloud: &Cloud) -> Result<Name> {
    let zone = cloud.site.zones.first().cloned();
    zone.ok_or_else(|| error(ErrorKind::Internal, "a region without zones".to_owned()))
}

/// A /28 at the end of the first network, where nobody is yet.
fn subnet(cloud: &Cloud, tx: &Tx<'_>, labels: Labels) -> Result<SubnetSpec<ResourceId>> {
    let network = first(tx, Kind::Network)?;
    let zone = match cloud.capabilities.subnets {
        SubnetScope::Zonal => Some(first_zone(cloud)?),
        SubnetScope::Regional => None,
    };
    let Some(Spec::Network(NetworkSpec { cidr, .. })) = tx
        .region()
        .get(Kind::Network, &network)
        .map(|thing| &thing.spec)
    else {
        return Err(error(
            ErrorKind::Internal,
            "a network of another kind".to_owned(),
        ));
    };
    let taken: Vec<_> = tx
        .region()
        .users(&network)
        .filter_map(|user| match &user.spec {
            Spec::Subnet(subnet) => Some(subnet.cidr),
            _ => None,
        })
        .collect();
    let last = u32::from(cidr.broadcast());
    let starts = (0..64).filter_map(|n| (last & !15).checked_sub(n * 16));
    let mut ranges = starts.filter_map(|start| Ipv4Net::new(start.into(), 28).ok());
    let free = ranges.find(|range| {
        cidr.contains(range) && !taken.iter().any(|t| t.contains(range) || range.contains(t))
    });
    let Some(cidr) = free else {
        let message = format!("there is no room for a subnet in the network {network}");
        return Err(error(ErrorKind::Precondition, message));
    };
    Ok(SubnetSpec {
        network,
        cidr,
        zone,
        internet: None,
        labels,
    })
}

/// The smallest machine, in the first subnet.
fn machine(cloud: &Cloud, tx: &Tx<'_>, labels: Labels) -> Result<MachineSpec<ResourceId>> {
    let subnet = first(tx, Kind::Subnet)?;
    let thing = tx.region().get(Kind::Subnet, &subnet);
    let zone = match thing.and_then(|thing| zone_of(&thing.spec)) {
        Some(zone) => zone.clone(),
        None => first_zone(cloud)?,
    };
    let here = cloud.offers.iter().filter(|offer| offer.zone == zone);
    let bought = here.filter(|offer| offer.capacity == CapacityKind::OnDemand);
    let (machine_type, cpu, memory, capacity) = match bought.min_by_key(|o| (o.cpu, o.memory)) {
        Some(o) => (o.machine_type.clone(), o.cpu, o.memory, o.capacity),
        None => (
            "flex-1-1024".to_owned(),
            1,
            Bytes::gib(1),
            CapacityKind::Owned,
        ),
    };
    let Some(image) = cloud.images.get("debian-12", None) else {
        return Err(error(
            ErrorKind::Internal,
            "a region without images".to_owned(),
        ));
    };
    Ok(MachineSpec {
        machine_type,
        cpu,
        memory,
        capacity,
        zone,
        image: ImageRef::Named {
            name: String::new(),
            id: image.clone(),
        },
        subnet,
        firewalls: Shared::new(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels,
    })
}
