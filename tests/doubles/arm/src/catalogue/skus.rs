//! The list of sizes, with what restricts them.
//! <https://learn.microsoft.com/rest/api/compute/resource-skus/list>

use serde_json::{Value, json};

use super::{LOCATIONS, Size, sizes, zones};
use crate::call::Call;
use crate::list::{self, Filter};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::World;

/// Whether a subscription cannot have a size in a location or zone.
pub(crate) fn is_restricted(world: &World, size: &str, location: &str, zone: Option<&str>) -> bool {
    let size = size.to_lowercase();
    world
        .arranged
        .restricted
        .iter()
        .any(|(own, place, zones, _)| {
            let is_here = *own == size && place == location;
            let is_whole = zones.is_empty() || zones.len() == super::zones(location).len();
            is_here && (is_whole || zone.is_some_and(|zone| zones.iter().any(|own| own == zone)))
        })
}

pub(crate) fn skus(world: &World, call: &Call<'_>) -> Result<Answer, Refusal> {
    let filter = Filter::parse(call.query("$filter").unwrap_or_default())?;
    filter.knows(&["location"])?;
    let mut items = Vec::new();
    for (location, _, _, _) in LOCATIONS {
        if filter
            .get("location")
            .is_some_and(|wanted| !wanted.eq_ignore_ascii_case(location))
        {
            continue;
        }
        for class in crate::rules::CLASSES {
            items.push(json!({
                "resourceType": "disks", "name": class, "tier": class.split('_').next(),
                "locations": [location],
                "locationInfo": [{ "location": location, "zones": zones(location), "zoneDetails": [] }],
                "capabilities": [{ "name": "MaxSizeGiB", "value": "65536" }],
                "restrictions": [],
            }));
        }
        let here = sizes().filter(|size| size.is_in(location));
        items.extend(here.map(|size| show(world, &size, location)));
    }
    Ok(Answer::json(200, &list::page(world, call, items)?))
}

fn show(world: &World, size: &Size, location: &str) -> Value {
    let truth = |is: bool| if is { "True" } else { "False" };
    let memory = size.mib as f64 / 1_024.0;
    let capabilities = [
        ("MaxResourceVolumeMB", "0".to_owned()),
        ("OSVhdSizeMB", "1047552".to_owned()),
        ("vCPUs", size.cpus.to_string()),
        ("MemoryPreservingMaintenanceSupported", "True".to_owned()),
        ("HyperVGenerations", "V1,V2".to_owned()),
        ("MemoryGB", memory.to_string()),
        ("MaxDataDiskCount", size.disks.to_string()),
        ("CpuArchitectureType", size.architecture.to_owned()),
        ("LowPriorityCapable", truth(size.is_spot()).to_owned()),
        ("PremiumIO", truth(size.has_premium).to_owned()),
        ("VMDeploymentTypes", "IaaS".to_owned()),
        ("vCPUsAvailable", size.cpus.to_string()),
        (
            "vCPUsPerCore",
            if size.architecture == "x64" { "2" } else { "1" }.to_owned(),
        ),
        ("EphemeralOSDiskSupported", "False".to_owned()),
        ("EncryptionAtHostSupported", "True".to_owned()),
        (
            "AcceleratedNetworkingEnabled",
            truth(size.cpus > 1).to_owned(),
        ),
        ("MaxNetworkInterfaces", (2 + size.cpus / 8).to_string()),
    ];
    let capabilities: Vec<Value> = capabilities
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let lower = size.name.to_lowercase();
    let restricted = world.arranged.restricted.iter();
    let restricted = restricted.filter(|(own, place, _, _)| *own == lower && place == location);
    let restrictions: Vec<Value> = restricted
        .map(|(_, _, zones, reason)| match zones.is_empty() {
            true => json!({
                "type": "Location", "values": [location], "reasonCode": reason,
                "restrictionInfo": { "locations": [location] },
            }),
            false => json!({
                "type": "Zone", "values": [location], "reasonCode": reason,
                "restrictionInfo": { "locations": [location], "zones": zones },
            }),
        })
        .collect();
    json!({
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.trim_start_matches("Standard_"),
        "family": size.family,
        "locations": [location],
        "locationInfo": [{ "location": location, "zones": zones(location), "zoneDetails": [] }],
        "capabilities": capabilities,
        "restrictions": restrictions,
    })
}
