//! Subnets that lost what is kept beside them: seen, and given it back when asked.

use strat_model::{
    Attributes, Labels, Resource, ResourceId, ResourceState, Spec, SubnetSpec, Witness,
};

use super::Net;
use super::nets::cidr_of;
use super::subnets::bridge_name;

/// Whether it is a subnet of ours that lost what is kept beside it: its bridge is still called as ours
/// are.
pub(super) fn is_stripped(net: &Net) -> bool {
    let bridge = net
        .xml
        .child("bridge")
        .and_then(|bridge| bridge.get("name"));
    net.thing.is_none() && bridge == Some(bridge_name(&net.id).as_str())
}

/// A subnet that lost what is kept beside it, as far as it can be told.
pub(super) fn stripped_of(net: &Net) -> Resource {
    Resource {
        id: ResourceId::from(&net.id),
        name: net.id.clone(),
        mark: None,
        witness: Witness::Lacking,
        state: ResourceState::Ready,
        spec: Spec::Subnet(SubnetSpec {
            network: ResourceId::from(""),
            cidr: cidr_of(&net.xml).unwrap_or_default(),
            zone: None,
            labels: Labels::new(),
        }),
        attributes: Attributes::new(),
        created: None,
    }
}
