//! Subnets. <https://learn.microsoft.com/rest/api/virtualnetwork/subnets>
//!
//! Codes of errors: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq> and the
//! pages of <https://learn.microsoft.com/troubleshoot/azure/virtual-network/welcome-virtual-network>.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Change, network, nothing, uses};
use crate::id::Id;
use crate::operations::Effect;
use crate::refusal::Refusal;
use crate::world::{Fields, World, items, reference};

/// The ranges of a subnet's properties.
pub(super) fn ranges(properties: &Value) -> Vec<IpNet> {
    let one = properties["addressPrefix"].as_str();
    let all = items(&properties["addressPrefixes"]).filter_map(Value::as_str);
    one.into_iter()
        .chain(all)
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// A subnet as it is to be, checked but for its place among the others.
pub(super) fn made(
    world: &World,
    id: &Id,
    old: Option<&Value>,
    properties: &Value,
) -> Result<Fields, Refusal> {
    let mut properties = match properties {
        Value::Object(_) => properties.clone(),
        _ => json!({}),
    };
    let own = ranges(&properties);
    let given = items(&properties["addressPrefixes"]).count()
        + usize::from(properties["addressPrefix"].is_string());
    if own.is_empty() || own.len() != given || own.iter().any(|range| range.trunc() != *range) {
        let message = format!("Subnet {id} has no range of addresses, or one that is none.");
        return Err(Refusal::new(400, "InvalidCIDRNotation", message));
    }
    if own
        .iter()
        .any(|range| matches!(range, IpNet::V4(range) if range.prefix_len() > 29))
    {
        let message = format!("Subnet {id} is smaller than /29.");
        return Err(Refusal::new(400, "SubnetTooSmall", message));
    }
    let group = &properties["networkSecurityGroup"];
    if let Some(group) = reference(group)
        && world.get(&group).is_none()
    {
        return Err(Refusal::reference(&group.shown, id));
    }
    if let Some(old) = old {
        let mut gone = ranges(old).into_iter().filter(|range| !own.contains(range));
        if let Some(gone) = gone.next().filter(|_| uses::user(world, id).is_some()) {
            let message = format!(
                "IpPrefix {gone} on Subnet {} has active allocations and cannot be deleted.",
                id.name()
            );
            return Err(Refusal::new(400, "InUsePrefixCannotBeDeleted", message));
        }
    }
    for (name, value) in [
        ("delegations", json!([])),
        ("privateEndpointNetworkPolicies", json!("Disabled")),
        ("privateLinkServiceNetworkPolicies", json!("Enabled")),
    ] {
        if properties[name].is_null() {
            properties[name] = value;
        }
    }
    properties["provisioningState"] = json!("Succeeded");
    let mut fields = Fields::new();
    fields.insert("properties".to_owned(), properties);
    Ok(fields)
}

/// The texts of this and the next were seen as in
/// <https://github.com/MicrosoftDocs/azure-docs/pull/123869>.
pub(super) fn check_inside(
    id: &Id,
    name: &str,
    own: &[IpNet],
    ranges: &[IpNet],
) -> Result<(), Refusal> {
    let is_inside = |one: &IpNet| ranges.iter().any(|range| range.contains(one));
    match own.iter().all(is_inside) {
        true => Ok(()),
        false => {
            let message = format!(
                "Subnet '{name}' is not valid because its IP address range is outside the IP address \
                 range of virtual network '{}'.",
                id.name()
            );
            Err(Refusal::new(400, "NetcfgSubnetRangeOutsideVnet", message))
        }
    }
}

pub(super) fn check_apart(
    id: &Id,
    name: &str,
    own: &[IpNet],
    taken: &[(String, Vec<IpNet>)],
) -> Result<(), Refusal> {
    let clashes = |one: &IpNet| {
        let mut all = taken.iter().flat_map(|(_, ranges)| ranges);
        all.any(|other| one.contains(other) || other.contains(one))
    };
    match own.iter().any(clashes) {
        false => Ok(()),
        true => {
            let message = format!(
                "Subnet '{name}' is not valid because its IP address range overlaps with that of an \
                 existing subnet in virtual network '{}'.",
                id.name()
            );
            Err(Refusal::new(400, "NetcfgSubnetRangesOverlap", message))
        }
    }
}

pub(super) fn put(world: &mut World, change: &Change<'_>) -> Result<Effect, Refusal> {
    let (id, network) = (change.id.clone(), change.id.parent());
    let old = change
        .old
        .as_ref()
        .map(|old| json!(old.fields["properties"]));
    let fields = made(world, &id, old.as_ref(), change.properties())?;
    let own = ranges(&fields["properties"]);
    let of_network = network::ranges(&json!(world.thing(&network)?.fields["properties"]));
    check_inside(&network, id.name(), &own, &of_network)?;
    let others = world
        .parts(&network, "subnets")
        .filter(|other| other.id != id);
    let taken: Vec<_> = others
        .map(|other| {
            (
                other.id.name().to_owned(),
                ranges(&json!(other.fields["properties"])),
            )
        })
        .collect();
    check_apart(&network, id.name(), &own, &taken)?;
    world.put(&id, fields);
    if let Some(network) = world.get_mut(&network) {
        network.version += 1;
    }
    Ok(nothing())
}
