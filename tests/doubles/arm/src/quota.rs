//! Quotas: what there may be, and what there is.
//! <https://learn.microsoft.com/azure/quotas/quotas-overview>

use serde_json::{Value, json};

use crate::catalogue::{self, Size};
use crate::refusal::Refusal;
use crate::world::World;

/// The quotas of machines and disks: name, its text, and the limit where nothing else was arranged.
const COMPUTE: [(&str, &str, u64); 8] = [
    ("availabilitySets", "Availability Sets", 2_500),
    ("cores", "Total Regional vCPUs", 10_000),
    (
        "lowPriorityCores",
        "Total Regional Low-priority vCPUs",
        10_000,
    ),
    ("virtualMachines", "Virtual Machines", 25_000),
    ("StandardDiskCount", "Standard HDD Managed Disks", 50_000),
    ("StandardSSDDiskCount", "StandardSSD Managed Disks", 50_000),
    ("PremiumDiskCount", "Premium SSD Managed Disks", 50_000),
    ("PremiumV2DiskCount", "PremiumV2 SSD Managed Disks", 1_000),
];

/// <https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#networking-limits>
const NETWORK: [(&str, &str, u64); 5] = [
    ("VirtualNetworks", "Virtual Networks", 1_000),
    ("NetworkSecurityGroups", "Network Security Groups", 5_000),
    ("NetworkInterfaces", "Network Interfaces", 65_536),
    ("PublicIPAddresses", "Public IP Addresses", 1_000),
    (
        "ApplicationSecurityGroups",
        "Application Security Groups",
        3_000,
    ),
];

const STORAGE: [(&str, &str, u64); 1] = [("StorageAccounts", "Storage Accounts", 250)];

/// What of a family a subscription may have, where nothing else was arranged.
const FAMILY: u64 = 10_000;

/// The limit of a quota in a location.
pub(crate) fn limit(world: &World, location: &str, name: &str) -> u64 {
    let all = COMPUTE.iter().chain(&NETWORK).chain(&STORAGE);
    let mut own = all.filter(|(own, _, _)| own.eq_ignore_ascii_case(name));
    let own = own.next().map_or(FAMILY, |(_, _, limit)| *limit);
    world.arranged.quota(location, name).unwrap_or(own)
}

/// What is used of a quota.
fn used(world: &World, subscription: &str, location: &str, name: &str) -> u64 {
    let here = |thing: &&crate::world::Thing| {
        thing.location() == location && thing.id.subscription().eq_ignore_ascii_case(subscription)
    };
    let count = |word: &'static str| world.all(word).filter(here).count() as u64;
    match name {
        "availabilitySets" => 0,
        "virtualMachines" => count("virtualMachines"),
        "VirtualNetworks" => count("virtualNetworks"),
        "NetworkSecurityGroups" => count("networkSecurityGroups"),
        "NetworkInterfaces" => count("networkInterfaces"),
        "PublicIPAddresses" => count("publicIPAddresses"),
        "ApplicationSecurityGroups" => count("applicationSecurityGroups"),
        "StorageAccounts" => count("storageAccounts"),
        name if name.ends_with("DiskCount") => {
            let class = match name {
                "PremiumDiskCount" => "Premium_",
                "StandardSSDDiskCount" => "StandardSSD_",
                "PremiumV2DiskCount" => "PremiumV2_",
                _ => "Standard_",
            };
            let is_it = |thing: &&crate::world::Thing| {
                let sku = thing.fields.get("sku").and_then(|sku| sku["name"].as_str());
                sku.is_some_and(|sku| sku.starts_with(class))
            };
            world.all("disks").filter(here).filter(is_it).count() as u64
        }
        // A machine counts whether it is allocated or not.
        // <https://learn.microsoft.com/azure/virtual-machines/quotas>
        name => {
            let cores = world
                .all("virtualMachines")
                .filter(here)
                .filter_map(|machine| {
                    let size = machine.property("hardwareProfile")["vmSize"].as_str()?;
                    let size = catalogue::size(size)?;
                    let is_spot = machine.property("priority") == "Spot";
                    let counts = match name {
                        "cores" => !is_spot,
                        "lowPriorityCores" => is_spot,
                        family => !is_spot && size.family == family,
                    };
                    counts.then_some(size.cpus)
                });
            cores.sum()
        }
    }
}

pub(crate) fn has_room(
    world: &World,
    subscription: &str,
    location: &str,
    name: &str,
    more: u64,
) -> bool {
    used(world, subscription, location, name) + more <= limit(world, location, name)
}

/// Refuses what a quota of things has no room for.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota>
pub(crate) fn room(
    world: &World,
    subscription: &str,
    location: &str,
    name: &str,
    more: u64,
) -> Result<(), Refusal> {
    match has_room(world, subscription, location, name, more) {
        true => Ok(()),
        false => Err(exceeded(
            world,
            subscription,
            location,
            (name, name),
            more,
            "QuotaExceeded",
        )),
    }
}

/// Refuses the machine whose cores no quota has room for.
/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota>
pub(crate) fn cores(
    world: &World,
    subscription: &str,
    location: &str,
    size: &Size,
    more: u64,
    is_spot: bool,
) -> Result<(), Refusal> {
    let family = format!("{} Cores", size.family);
    let wanted = match is_spot {
        true => vec![("lowPriorityCores", "LowPriorityCores")],
        false => vec![
            ("cores", "Total Regional Cores"),
            (size.family.as_str(), family.as_str()),
        ],
    };
    for name in wanted {
        if more > 0 && !has_room(world, subscription, location, name.0, more) {
            let code = "OperationNotAllowed";
            return Err(exceeded(world, subscription, location, name, more, code));
        }
    }
    Ok(())
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota>, seen
/// with 409 as in <https://github.com/nforgeio/neonKUBE/issues/1671>.
fn exceeded(
    world: &World,
    subscription: &str,
    location: &str,
    (name, text): (&str, &str),
    more: u64,
    code: &str,
) -> Refusal {
    let (limit, used) = (
        limit(world, location, name),
        used(world, subscription, location, name),
    );
    let message = format!(
        "Operation could not be completed as it results in exceeding approved {text} quota. Additional \
         details - Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, \
         Current Usage: {used}, Additional Required: {more}, (Minimum) New Limit Required: {}. Setup \
         Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting . \
         Submit a request for Quota increase at https://aka.ms/ProdportalCRP by specifying parameters \
         listed in the 'Details' section for deployment to succeed. Please read more about quota limits \
         at https://docs.microsoft.com/en-us/azure/azure-supportability/per-vm-quota-requests",
        used + more
    );
    Refusal::new(409, code, message)
}

/// The usages of a provider in a location.
/// <https://learn.microsoft.com/rest/api/compute/usage/list>
pub(crate) fn show(
    world: &World,
    subscription: &str,
    namespace: &str,
    location: &str,
) -> Vec<Value> {
    let fixed: &[(&str, &str, u64)] = match namespace {
        "Microsoft.Compute" => &COMPUTE,
        "Microsoft.Network" => &NETWORK,
        "Microsoft.Storage" => &STORAGE,
        _ => &[],
    };
    let fixed = fixed
        .iter()
        .map(|(name, text, _)| ((*name).to_owned(), (*text).to_owned()));
    let families = match namespace {
        "Microsoft.Compute" => catalogue::families(),
        _ => Vec::new(),
    };
    let families = families.into_iter().map(|name| {
        let text = format!("{name} vCPUs");
        (name, text)
    });
    let shown = fixed.chain(families).map(|(name, text)| {
        let mut one = json!({
            "unit": "Count",
            "currentValue": used(world, subscription, location, &name),
            "limit": limit(world, location, &name),
            "name": { "value": name, "localizedValue": text },
        });
        if namespace == "Microsoft.Network" {
            let scope = format!("/subscriptions/{subscription}/providers/Microsoft.Network");
            one["id"] = json!(format!("{scope}/locations/{location}/usages/{name}"));
        }
        one
    });
    shown.collect()
}
