//! Virtual networks. <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks>

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Change, nothing, subnet, uses};
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::world::{Fields, World, items};

/// Since this version a PUT without subnets leaves them alone; before it, it deleted them.
/// <https://techcommunity.microsoft.com/blog/azurenetworkingblog/azure-virtual-network-now-supports-updates-without-subnet-property/4067952>
const KEEPS_SUBNETS: &str = "2023-09-01";

/// The ranges of a network.
pub(super) fn ranges(properties: &Value) -> Vec<IpNet> {
    let all = items(&properties["addressSpace"]["addressPrefixes"]);
    all.filter_map(|one| one.as_str()?.parse().ok()).collect()
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let id = change.id.clone();
    let prefixes = change.properties()["addressSpace"]["addressPrefixes"].clone();
    if items(&prefixes).next().is_none() {
        let message =
            format!("Virtual network {id} has no address space: addressSpace.addressPrefixes.");
        return Err(Refusal::new(400, "VnetAddressSpaceNotSpecified", message));
    }
    let ranges = ranges(change.properties());
    if ranges.len() != items(&prefixes).count()
        || ranges.iter().any(|range| range.trunc() != *range)
    {
        let message = format!(
            "Address prefixes {prefixes} of virtual network {id} are no ranges of addresses."
        );
        return Err(Refusal::new(400, "InvalidCIDRNotation", message));
    }
    for (at, range) in ranges.iter().enumerate() {
        let overlaps = |other: &&IpNet| range.contains(*other) || other.contains(range);
        if let Some(other) = ranges[..at].iter().find(overlaps) {
            let message =
                format!("Address prefixes {range} and {other} of virtual network {id} overlap.");
            return Err(Refusal::new(400, "VnetAddressPrefixesOverlap", message));
        }
    }
    if change.old.is_none() {
        quota::room(
            world,
            id.subscription(),
            &change.location(),
            "VirtualNetworks",
            1,
        )?;
    }
    let wanted = match change
        .fields
        .get_mut("properties")
        .and_then(Value::as_object_mut)
    {
        Some(properties) => properties.remove("subnets"),
        None => None,
    };
    let keeps = change.call.version >= KEEPS_SUBNETS;
    let wanted: Option<Vec<Value>> = match wanted {
        Some(wanted) => Some(items(&wanted).cloned().collect()),
        None if keeps => None,
        None => Some(Vec::new()),
    };
    let plan = match wanted {
        Some(wanted) => plan(world, &id, &ranges, &wanted)?,
        None => {
            for part in world.parts(&id, "subnets") {
                subnet::check_inside(
                    &id,
                    part.id.name(),
                    &subnet::ranges(&json!(part.fields["properties"])),
                    &ranges,
                )?;
            }
            Vec::new()
        }
    };
    change.default("enableDdosProtection", json!(false));
    world.put(&id, change.fields);
    for (part, fields) in plan {
        match fields {
            Some(fields) => world.put(&part, fields),
            None => world.drop_thing(&part),
        }
    }
    Ok(nothing())
}

/// What becomes of the subnets: what each is to be, or nothing where it goes.
fn plan(
    world: &World,
    id: &Id,
    ranges: &[IpNet],
    wanted: &[Value],
) -> Result<Vec<(Id, Option<Fields>)>, Refusal> {
    let mut plan: Vec<(Id, Option<Fields>)> = Vec::new();
    let mut taken: Vec<(String, Vec<IpNet>)> = Vec::new();
    for one in wanted {
        let name = one["name"].as_str().unwrap_or_default();
        let part = id.child(&format!("subnets/{name}"));
        let old = world.get(&part).map(|old| json!(old.fields["properties"]));
        let fields = subnet::made(world, &part, old.as_ref(), &one["properties"])?;
        let own = subnet::ranges(&fields["properties"]);
        subnet::check_inside(id, name, &own, ranges)?;
        subnet::check_apart(id, name, &own, &taken)?;
        taken.push((name.to_owned(), own));
        plan.push((part, Some(fields)));
    }
    for old in world.parts(id, "subnets") {
        if !plan.iter().any(|(part, _)| *part == old.id) {
            uses::check_subnet(world, &old.id)?;
            plan.push((old.id.clone(), None));
        }
    }
    Ok(plan)
}
