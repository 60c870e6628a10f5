//! Public addresses and network interfaces.
//! <https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces>

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Change, nothing, subnet, uses};
use crate::catalogue;
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::world::{World, items, reference};

/// Checks the zones of a thing against those of its location.
/// <https://learn.microsoft.com/azure/reliability/availability-zones-overview>
pub(super) fn check_zones(zones: &Value, location: &str) -> Result<(), Refusal> {
    let known = catalogue::zones(location);
    let mut zones = items(zones).filter_map(Value::as_str);
    match zones.find(|zone| !known.contains(zone)) {
        None => Ok(()),
        Some(zone) => {
            let message = format!(
                "The zone(s) '{zone}' for resource are not supported in location '{location}'. The \
                 supported zones for location '{location}' are '{}'.",
                known.join(",")
            );
            Err(Refusal::new(400, "AvailabilityZoneNotSupported", message))
        }
    }
}

pub(super) fn put_address(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let (id, location) = (change.id.clone(), change.location());
    let sku = change
        .fields
        .entry("sku")
        .or_insert_with(|| json!({ "name": "Standard" }));
    if sku["tier"].is_null() {
        sku["tier"] = json!("Regional");
    }
    let sku = sku["name"].as_str().unwrap_or("Standard").to_owned();
    change.default("publicIPAllocationMethod", json!("Static"));
    change.default("publicIPAddressVersion", json!("IPv4"));
    change.default("idleTimeoutInMinutes", json!(4));
    if sku != "Standard" {
        // <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-basic-upgrade-guidance>
        let message = format!("Public IP addresses with the SKU {sku} cannot be made any more.");
        return Err(Refusal::new(400, "PublicIpSkuRetired", message));
    }
    if change.properties()["publicIPAllocationMethod"] != "Static" {
        let message =
            format!("Standard SKU publicIp {id} must have AllocationMethod set to Static.");
        return Err(Refusal::new(
            400,
            "PublicIPAddressWithStandardSkuMustBeStatic",
            message,
        ));
    }
    if let Some(zones) = change.fields.get("zones") {
        check_zones(zones, &location)?;
    }
    let address = match &change.old {
        None => {
            if !quota::has_room(world, id.subscription(), &location, "PublicIPAddresses", 1) {
                // Seen as in <https://github.com/MicrosoftDocs/azure-docs/issues/106096>.
                let limit = quota::limit(world, &location, "PublicIPAddresses");
                let message = format!(
                    "Cannot create more than {limit} public IP addresses for this subscription in \
                     this region."
                );
                return Err(Refusal::new(400, "PublicIPCountLimitReached", message));
            }
            json!(world.public_address())
        }
        Some(old) => {
            let zones = |fields: &crate::world::Fields| fields.get("zones").cloned();
            if zones(&old.fields) != zones(&change.fields) {
                let message = format!(
                    "Resource {id} has an existing availability zone constraint that cannot be changed."
                );
                return Err(Refusal::new(
                    400,
                    "ResourceAvailabilityZonesCannotBeModified",
                    message,
                ));
            }
            old.property("ipAddress").clone()
        }
    };
    change.set("ipAddress", address);
    world.put(&id, change.fields);
    Ok(nothing())
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let (id, location) = (change.id.clone(), change.location());
    if change.old.is_none() {
        quota::room(world, id.subscription(), &location, "NetworkInterfaces", 1)?;
    }
    if let Some(group) = reference(&change.properties()["networkSecurityGroup"]) {
        near(world, &group, &id, &location)?;
    }
    let mut all: Vec<Value> = items(&change.properties()["ipConfigurations"])
        .cloned()
        .collect();
    if all.is_empty() {
        let message = format!("Network interface {id} has no IP configuration.");
        return Err(Refusal::new(
            400,
            "NetworkInterfaceMustHaveIpConfiguration",
            message,
        ));
    }
    let mut own: BTreeSet<Ipv4Addr> = BTreeSet::new();
    let count = all.len();
    for one in &mut all {
        configure(world, &change, one, count == 1, &mut own)?;
    }
    let primary = all
        .iter()
        .filter(|one| one["properties"]["primary"] == true)
        .count();
    if primary != 1 {
        let message = format!(
            "Network interface {id} has {primary} primary IP configurations, and needs one."
        );
        return Err(Refusal::new(
            400,
            "NetworkInterfaceMustHaveOnePrimaryIpConfig",
            message,
        ));
    }
    change.set("ipConfigurations", json!(all));
    change.default("enableAcceleratedNetworking", json!(false));
    change.default("enableIPForwarding", json!(false));
    change.default(
        "dnsSettings",
        json!({ "dnsServers": [], "appliedDnsServers": [] }),
    );
    change.default("nicType", json!("Standard"));
    world.put(&id, change.fields);
    Ok(nothing())
}

/// Whether what a thing refers to is there, and in the same region.
fn near(world: &World, other: &Id, id: &Id, location: &str) -> Result<(), Refusal> {
    let found = world
        .get(other)
        .filter(|found| found.location() == location);
    found
        .map(|_| ())
        .ok_or_else(|| Refusal::reference(&other.shown, id))
}

/// One configuration of an interface: its subnet, its addresses, its groups.
fn configure(
    world: &World,
    change: &Change<'_>,
    one: &mut Value,
    is_only: bool,
    own: &mut BTreeSet<Ipv4Addr>,
) -> Result<(), Refusal> {
    let (id, location) = (change.id, change.location());
    let name = one["name"].as_str().unwrap_or_default().to_owned();
    one["id"] = json!(format!("{id}/ipConfigurations/{name}"));
    one["type"] = json!("Microsoft.Network/networkInterfaces/ipConfigurations");
    let inner = &mut one["properties"];
    if inner["primary"].is_null() {
        inner["primary"] = json!(is_only);
    }
    let Some(subnet) = reference(&inner["subnet"]) else {
        let message = format!("IP configuration {name} of network interface {id} has no subnet.");
        return Err(Refusal::new(
            400,
            "NetworkInterfaceIpConfigMustReferenceSubnet",
            message,
        ));
    };
    near(world, &subnet.parent(), id, &location)?;
    let found = world
        .get(&subnet)
        .ok_or_else(|| Refusal::reference(&subnet.shown, id))?;
    if let Some(address) = reference(&inner["publicIPAddress"]) {
        near(world, &address, id, &location)?;
        let mut users = uses::users(world, &address);
        if let Some(user) = users.find(|user| user != id) {
            // <https://learn.microsoft.com/azure/virtual-network/ip-services/associate-public-ip-address-vm>,
            // seen with 400 as in <https://github.com/MicrosoftLearning/AZ-100-MicrosoftAzureInfrastructureDeployment/issues/15>.
            let message = format!(
                "Resource {id} is referencing public IP address {address} that is already allocated \
                 to resource {user}."
            );
            return Err(Refusal::new(400, "PublicIPAddressInUse", message));
        }
    }
    for group in items(&inner["applicationSecurityGroups"]) {
        let group = reference(group).unwrap_or_else(|| Id::new(""));
        near(world, &group, id, &location)?;
    }
    let ranges = subnet::ranges(&json!(found.fields["properties"]));
    let before = items(change.was("ipConfigurations")).find(|old| old["name"] == name.as_str());
    let address = private(world, id, &subnet, &ranges, inner, before, own)?;
    own.insert(address);
    inner["privateIPAddress"] = json!(address.to_string());
    for (name, value) in [
        ("privateIPAllocationMethod", json!("Dynamic")),
        ("privateIPAddressVersion", json!("IPv4")),
    ] {
        if inner[name].is_null() {
            inner[name] = value;
        }
    }
    inner["provisioningState"] = json!("Succeeded");
    Ok(())
}

/// The private address of a configuration. Azure keeps the first four and the last of a subnet.
/// <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#are-there-any-restrictions-on-using-ip-addresses-within-these-subnets>
fn private(
    world: &World,
    id: &Id,
    subnet: &Id,
    ranges: &[IpNet],
    inner: &Value,
    before: Option<&Value>,
    own: &BTreeSet<Ipv4Addr>,
) -> Result<Ipv4Addr, Refusal> {
    let mut taken = own.clone();
    for interface in world
        .all("networkInterfaces")
        .filter(|other| other.id != *id)
    {
        for one in items(interface.property("ipConfigurations")) {
            let inner = &one["properties"];
            if reference(&inner["subnet"]).is_some_and(|other| other == *subnet) {
                taken.extend(
                    inner["privateIPAddress"]
                        .as_str()
                        .and_then(|text| text.parse::<Ipv4Addr>().ok()),
                );
            }
        }
    }
    let is_inside = |address: &Ipv4Addr| {
        ranges
            .iter()
            .any(|range| range.contains(&IpAddr::V4(*address)))
    };
    if inner["privateIPAllocationMethod"] == "Static" {
        let text = inner["privateIPAddress"].as_str().unwrap_or_default();
        let address = text.parse::<Ipv4Addr>().ok().filter(is_inside);
        let Some(address) = address else {
            let message = format!(
                "Private static IP address {text} does not belong to the range of subnet prefix of \
                 {subnet}."
            );
            return Err(Refusal::new(400, "PrivateIPAddressNotInSubnet", message));
        };
        // Seen as in <https://github.com/daniel-rhoades/acs-engine-terraform/issues/10>.
        if taken.contains(&address) {
            let message = format!(
                "IP configuration of {id} is using the private IP address {address} which is already allocated in {subnet}."
            );
            return Err(Refusal::new(400, "PrivateIPAddressIsAllocated", message));
        }
        return Ok(address);
    }
    let kept = before
        .filter(|old| reference(&old["properties"]["subnet"]).is_some_and(|other| other == *subnet))
        .and_then(|old| {
            old["properties"]["privateIPAddress"]
                .as_str()?
                .parse::<Ipv4Addr>()
                .ok()
        });
    if let Some(kept) = kept.filter(|kept| is_inside(kept) && !taken.contains(kept)) {
        return Ok(kept);
    }
    for range in ranges {
        let IpNet::V4(range) = range else {
            continue;
        };
        let first = u32::from(range.network()).saturating_add(4);
        let last = u32::from(range.broadcast());
        let free = (first..last)
            .map(Ipv4Addr::from)
            .find(|address| !taken.contains(address));
        if let Some(free) = free {
            return Ok(free);
        }
    }
    // <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet>, seen as in
    // <https://github.com/Azure/karpenter-provider-azure/issues/734>.
    let prefixes: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    let message = format!(
        "Subnet {subnet} with address prefix {} does not have enough capacity for 1 IP addresses.",
        prefixes.join(", ")
    );
    Err(Refusal::new(400, "SubnetIsFull", message))
}
