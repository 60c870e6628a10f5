//! What Azure has: locations, sizes, images, prices. A handful of each.
//!
//! Sizes: <https://learn.microsoft.com/azure/virtual-machines/sizes/overview>; locations and their
//! zones: <https://learn.microsoft.com/azure/reliability/regions-list>.

mod images;
mod prices;
mod skus;

use serde_json::{Value, json};

pub(crate) use images::{Image, Images, add_image, answer as images_of, images};
pub(crate) use prices::prices;
pub(crate) use skus::{is_restricted, skus};

/// Locations: name, name for people, zones, and what a price there is times.
const LOCATIONS: [(&str, &str, &[&str], f64); 7] = [
    ("westeurope", "West Europe", &["1", "2", "3"], 1.2),
    ("northeurope", "North Europe", &["1", "2", "3"], 1.1),
    ("swedencentral", "Sweden Central", &["1", "2", "3"], 1.05),
    (
        "germanywestcentral",
        "Germany West Central",
        &["1", "2", "3"],
        1.2,
    ),
    ("eastus", "East US", &["1", "2", "3"], 1.0),
    ("westus2", "West US 2", &["1", "2", "3"], 1.0),
    // No zones.
    ("westus", "West US", &[], 1.15),
];

/// Families: what is before and after the number of CPUs in a name, the quota's name, the CPUs,
/// MiB of memory for each, the architecture, whether premium disks fit, cents an hour for each CPU.
type Family = (
    &'static str,
    &'static str,
    &'static str,
    &'static [u64],
    u64,
    &'static str,
    bool,
    f64,
);

const FAMILIES: [Family; 11] = [
    (
        "Standard_D",
        "s_v3",
        "standardDSv3Family",
        &[2, 4, 8, 16, 32, 48, 64],
        4_096,
        "x64",
        true,
        4.8,
    ),
    (
        "Standard_D",
        "_v3",
        "standardDv3Family",
        &[2, 4, 8, 16, 32],
        4_096,
        "x64",
        false,
        4.8,
    ),
    (
        "Standard_D",
        "s_v4",
        "standardDSv4Family",
        &[2, 4, 8, 16, 32],
        4_096,
        "x64",
        true,
        4.8,
    ),
    (
        "Standard_D",
        "s_v5",
        "standardDSv5Family",
        &[2, 4, 8, 16, 32, 48, 64, 96],
        4_096,
        "x64",
        true,
        4.8,
    ),
    (
        "Standard_D",
        "as_v5",
        "standardDASv5Family",
        &[2, 4, 8, 16, 32],
        4_096,
        "x64",
        true,
        4.3,
    ),
    (
        "Standard_D",
        "ps_v5",
        "standardDPSv5Family",
        &[2, 4, 8, 16, 32],
        4_096,
        "Arm64",
        true,
        3.85,
    ),
    (
        "Standard_E",
        "s_v3",
        "standardESv3Family",
        &[2, 4, 8, 16, 32],
        8_192,
        "x64",
        true,
        6.3,
    ),
    (
        "Standard_E",
        "s_v5",
        "standardESv5Family",
        &[2, 4, 8, 16, 32],
        8_192,
        "x64",
        true,
        6.3,
    ),
    (
        "Standard_E",
        "as_v5",
        "standardEASv5Family",
        &[2, 4, 8, 16],
        8_192,
        "x64",
        true,
        5.65,
    ),
    (
        "Standard_F",
        "s_v2",
        "standardFSv2Family",
        &[2, 4, 8, 16, 32],
        2_048,
        "x64",
        true,
        4.23,
    ),
    (
        "Standard_F",
        "as_v6",
        "standardFasv6Family",
        &[2, 4, 8, 16],
        4_096,
        "x64",
        true,
        4.5,
    ),
];

/// Burstable sizes: name, CPUs, MiB of memory, cents an hour.
/// <https://learn.microsoft.com/azure/virtual-machines/sizes/general-purpose/bv1-series>
const BURSTABLE: [(&str, u64, u64, f64); 7] = [
    ("Standard_B1ls", 1, 512, 0.52),
    ("Standard_B1s", 1, 1_024, 1.04),
    ("Standard_B1ms", 1, 2_048, 2.07),
    ("Standard_B2s", 2, 4_096, 4.16),
    ("Standard_B2ms", 2, 8_192, 8.32),
    ("Standard_B4ms", 4, 16_384, 16.6),
    ("Standard_B8ms", 8, 32_768, 33.3),
];

/// A size of machines.
#[derive(Debug, Clone)]
pub(crate) struct Size {
    pub(crate) name: String,
    pub(crate) family: String,
    pub(crate) cpus: u64,
    pub(crate) mib: u64,
    pub(crate) architecture: &'static str,
    /// How many data disks fit.
    pub(crate) disks: usize,
    pub(crate) has_premium: bool,
    /// Cents an hour where it is cheapest.
    pub(crate) cents: f64,
}

impl Size {
    /// Machines with Arm processors are in some locations only.
    pub(crate) fn is_in(&self, location: &str) -> bool {
        has_location(location)
            && (self.architecture == "x64" || ["westeurope", "eastus"].contains(&location))
    }

    /// Burstable sizes with half a GiB or a whole one are never sold as spot.
    /// <https://learn.microsoft.com/azure/virtual-machines/spot-vms#limitations>
    pub(crate) fn is_spot(&self) -> bool {
        self.family != "standardBSFamily"
    }
}

/// Every size.
pub(crate) fn sizes() -> impl Iterator<Item = Size> {
    let plain = FAMILIES.iter().flat_map(|family| {
        let (start, end, quota, cpus, mib, architecture, has_premium, cents) = *family;
        cpus.iter().map(move |cpus| Size {
            name: format!("{start}{cpus}{end}"),
            family: quota.to_owned(),
            cpus: *cpus,
            mib: cpus * mib,
            architecture,
            disks: usize::try_from(cpus * 2).map_or(32, |disks| disks.min(32)),
            has_premium,
            cents: cents * *cpus as f64,
        })
    });
    let burstable = BURSTABLE.iter().map(|(name, cpus, mib, cents)| Size {
        name: (*name).to_owned(),
        family: "standardBSFamily".to_owned(),
        cpus: *cpus,
        mib: *mib,
        architecture: "x64",
        disks: usize::try_from(cpus * 2).map_or(16, |disks| disks.min(16)),
        has_premium: true,
        cents: *cents,
    });
    plain.chain(burstable)
}

/// The size of a name, in any case.
pub(crate) fn size(name: &str) -> Option<Size> {
    sizes().find(|size| size.name.eq_ignore_ascii_case(name))
}

pub(crate) fn size_names(location: &str) -> Vec<String> {
    let here = sizes().filter(|size| size.is_in(location));
    here.map(|size| size.name).collect()
}

pub(crate) fn family_names(family: &str) -> Vec<String> {
    let same = sizes().filter(|size| size.family == family);
    same.map(|size| size.name).collect()
}

/// The names of the quotas of families.
pub(crate) fn families() -> Vec<String> {
    let mut all: Vec<String> = sizes().map(|size| size.family).collect();
    all.sort();
    all.dedup();
    all
}

pub(crate) fn has_location(name: &str) -> bool {
    LOCATIONS.iter().any(|(own, _, _, _)| *own == name)
}

pub(crate) fn locations() -> Vec<&'static str> {
    LOCATIONS.iter().map(|(name, _, _, _)| *name).collect()
}

/// The zones of a location.
pub(crate) fn zones(location: &str) -> &'static [&'static str] {
    let found = LOCATIONS.iter().find(|(own, _, _, _)| *own == location);
    found.map_or(&[], |(_, _, zones, _)| zones)
}

/// <https://learn.microsoft.com/rest/api/resources/subscriptions/list-locations>
pub(crate) fn show_locations(subscription: &str) -> Vec<Value> {
    let all = LOCATIONS.iter().map(|(name, display, zones, _)| {
        let mut shown = json!({
            "id": format!("/subscriptions/{subscription}/locations/{name}"),
            "type": "Region",
            "name": name,
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {
                "regionType": "Physical", "regionCategory": "Recommended",
                "geographyGroup": if name.contains("us") { "US" } else { "Europe" },
            },
        });
        if !zones.is_empty() {
            let mapped = zones.iter().map(
                |zone| json!({ "logicalZone": zone, "physicalZone": format!("{name}-az{zone}") }),
            );
            shown["availabilityZoneMappings"] = mapped.collect();
        }
        shown
    });
    all.collect()
}
