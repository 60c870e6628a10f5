//! Subnets that lost what is kept beside them: seen, and given it back when asked.

use std::collections::BTreeMap;

use strat_model::{
    Attributes, Labels, Resource, ResourceId, ResourceState, Spec, SubnetSpec, Witness,
};

use super::layout::way_of;
use super::nets::cidr_of;
use super::subnets::bridge_name;
use super::{Net, NetBody};
use crate::thing::Thing;

/// Whether it is a subnet of ours that lost what is kept beside it: its bridge is still called as ours
/// are.
pub(super) fn is_stripped(net: &Net) -> bool {
    let bridge = net
        .xml
        .child("bridge")
        .and_then(|bridge| bridge.get("name"));
    net.thing.is_none() && bridge == Some(bridge_name(&net.id).as_str())
}

/// A subnet that lost what is kept beside it, as far as it can be told: its network is the one of ours
/// that its range is within.
pub(super) fn stripped_of(net: &Net, all: &BTreeMap<String, Net>) -> Resource {
    let cidr = cidr_of(&net.xml).unwrap_or_default();
    let holds = |other: &&Net| match &other.thing {
        Some(Thing {
            body: NetBody::Network { cidr: range },
            ..
        }) => range.contains(&cidr),
        _ => false,
    };
    let network = all.values().find(holds);
    Resource {
        id: ResourceId::from(&net.id),
        name: net.id.clone(),
        mark: None,
        witness: Witness::Lacking,
        state: ResourceState::Ready,
        spec: Spec::Subnet(SubnetSpec {
            network: ResourceId::from(network.map_or("", |network| network.id.as_str())),
            cidr,
            zone: None,
            internet: Some(way_of(&net.xml)),
            labels: Labels::new(),
        }),
        attributes: Attributes::new(),
        created: None,
    }
}
