//! What the clouds sell: sizes and list prices like the real ones, and public images.

use rust_decimal::Decimal;
use strat_model::{
    Bytes, CapacityKind, Digest, FlexSize, Money, Name, Offer, PublicImages, ResourceId,
    SiteCapacity,
};

use crate::Profile;

/// A run of sizes that differ by a factor.
#[derive(Clone, Copy)]
struct Family {
    /// What quotas count together.
    family: &'static str,
    /// The machine type, with `{}` for the size.
    pattern: &'static str,
    /// The memory of one virtual CPU, in MiB.
    memory_per_cpu: u64,
    /// The price of one virtual CPU for an hour, in ten-thousandths of a US dollar.
    price_per_cpu: i64,
    /// Each size's name and its virtual CPUs.
    sizes: &'static [(&'static str, u32)],
    /// How many GPUs each has, and which.
    gpus: Option<(u32, &'static str)>,
    /// Whether the last zone of a region does not have it: no cloud has everything everywhere.
    missing_in_last_zone: bool,
}

const fn family(
    family: &'static str,
    pattern: &'static str,
    memory_per_cpu: u64,
    price_per_cpu: i64,
    sizes: &'static [(&'static str, u32)],
) -> Family {
    Family {
        family,
        pattern,
        memory_per_cpu,
        price_per_cpu,
        sizes,
        gpus: None,
        missing_in_last_zone: false,
    }
}

const fn with_gpus(family: Family, count: u32, model: &'static str) -> Family {
    Family {
        gpus: Some((count, model)),
        ..family
    }
}

const fn scarce(family: Family) -> Family {
    Family {
        missing_in_last_zone: true,
        ..family
    }
}

const LARGE_24: &[(&str, u32)] = &[
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("8xlarge", 32),
    ("12xlarge", 48),
    ("16xlarge", 64),
    ("24xlarge", 96),
];
const LARGE_18: &[(&str, u32)] = &[
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("9xlarge", 36),
    ("18xlarge", 72),
];
const BY_CPU: &[(&str, u32)] = &[
    ("2", 2),
    ("4", 4),
    ("8", 8),
    ("16", 16),
    ("32", 32),
    ("48", 48),
    ("64", 64),
];

/// On-demand prices of us-east-1, Linux.
const AWS: &[Family] = &[
    family("t3", "t3.{}", 512, 52, &[("micro", 2)]),
    family("t3", "t3.{}", 1024, 104, &[("small", 2)]),
    family("t3", "t3.{}", 2048, 208, &[("medium", 2)]),
    family(
        "t3",
        "t3.{}",
        4096,
        416,
        &[("large", 2), ("xlarge", 4), ("2xlarge", 8)],
    ),
    family("m5", "m5.{}", 4096, 480, LARGE_24),
    family("c5", "c5.{}", 2048, 425, LARGE_18),
    family("r5", "r5.{}", 8192, 630, LARGE_24),
    scarce(family("m7i", "m7i.{}", 4096, 504, LARGE_24)),
    with_gpus(
        family("g4dn", "g4dn.{}", 4096, 1315, &[("xlarge", 4)]),
        1,
        "T4",
    ),
    with_gpus(
        family("g4dn", "g4dn.{}", 4096, 815, &[("12xlarge", 48)]),
        4,
        "T4",
    ),
];

/// Pay-as-you-go prices of East US, Linux.
const AZURE: &[Family] = &[
    family("BS", "Standard_B{}", 1024, 104, &[("1s", 1)]),
    family("BS", "Standard_B{}", 2048, 208, &[("2s", 2)]),
    family(
        "BS",
        "Standard_B{}",
        4096,
        416,
        &[("2ms", 2), ("4ms", 4), ("8ms", 8)],
    ),
    family("DSv5", "Standard_D{}s_v5", 4096, 480, BY_CPU),
    family("ESv5", "Standard_E{}s_v5", 8192, 630, BY_CPU),
    family("FSv2", "Standard_F{}s_v2", 2048, 423, BY_CPU),
    scarce(family("DASv6", "Standard_D{}as_v6", 4096, 454, BY_CPU)),
    with_gpus(
        family("NCasT4v3", "Standard_NC{}as_T4_v3", 7168, 1315, &[("4", 4)]),
        1,
        "T4",
    ),
    with_gpus(
        family(
            "NCasT4v3",
            "Standard_NC{}as_T4_v3",
            7040,
            680,
            &[("64", 64)],
        ),
        4,
        "T4",
    ),
];

/// On-demand prices of us-central1, Linux.
const GCP: &[Family] = &[
    family("e2", "e2-{}", 512, 42, &[("micro", 2)]),
    family("e2", "e2-{}", 1024, 84, &[("small", 2)]),
    family("e2", "e2-{}", 2048, 168, &[("medium", 2)]),
    family(
        "e2",
        "e2-standard-{}",
        4096,
        335,
        &[("2", 2), ("4", 4), ("8", 8), ("16", 16), ("32", 32)],
    ),
    family("n2", "n2-standard-{}", 4096, 486, BY_CPU),
    family("n2", "n2-highmem-{}", 8192, 655, BY_CPU),
    family("n2", "n2-highcpu-{}", 1024, 359, BY_CPU),
    scarce(family(
        "c3",
        "c3-standard-{}",
        4096,
        524,
        &[("4", 4), ("8", 8), ("22", 22), ("44", 44)],
    )),
    with_gpus(
        family("g2", "g2-standard-{}", 4096, 1767, &[("4", 4)]),
        1,
        "L4",
    ),
    with_gpus(
        family("g2", "g2-standard-{}", 4096, 833, &[("24", 24)]),
        2,
        "L4",
    ),
];

/// A third of the list price, as spot capacity tends to be.
const SPOT_PERCENT: i64 = 32;

/// The neutral names of the images that every simulated cloud has.
pub const IMAGES: [&str; 5] = [
    "debian-12",
    "debian-13",
    "rocky-9",
    "ubuntu-22.04",
    "ubuntu-24.04",
];

fn families(profile: Profile) -> &'static [Family] {
    match profile {
        Profile::Aws => AWS,
        Profile::Azure => AZURE,
        Profile::Gcp => GCP,
        Profile::Onprem => &[],
    }
}

/// What quotas count a machine type with; the type itself where it is in no catalogue.
pub(crate) fn family_of(profile: Profile, machine_type: &str) -> &str {
    families(profile)
        .iter()
        .find(|family| {
            let (head, tail) = family
                .pattern
                .split_once("{}")
                .unwrap_or((family.pattern, ""));
            machine_type
                .strip_prefix(head)
                .and_then(|rest| rest.strip_suffix(tail))
                .is_some_and(|size| family.sizes.iter().any(|(name, _)| *name == size))
        })
        .map_or_else(
            || machine_type.split('-').next().unwrap_or(machine_type),
            |f| f.family,
        )
}

/// The families that have a quota of their own.
pub(crate) fn quota_families(profile: Profile) -> Vec<&'static str> {
    let mut names: Vec<_> = families(profile).iter().map(|f| f.family).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// What a region sells, sorted by zone, type and capacity.
pub(crate) fn offers(profile: Profile, region: &str, zones: &[Name]) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (index, zone) in zones.iter().enumerate() {
        let last = index > 0 && index + 1 == zones.len();
        for family in families(profile) {
            if family.missing_in_last_zone && last {
                continue;
            }
            for (size, cpu) in family.sizes {
                offers.extend(
                    [CapacityKind::OnDemand, CapacityKind::Spot]
                        .map(|capacity| offer(family, size, *cpu, capacity, zone, region)),
                );
            }
        }
    }
    offers.sort_by(|a, b| {
        (&a.zone, &a.machine_type, a.capacity).cmp(&(&b.zone, &b.machine_type, b.capacity))
    });
    offers
}

/// The sizes that are listed of owned hardware: any can be had, but only those with GPUs say that there
/// are some.
pub(crate) fn owned(capacity: &SiteCapacity, zones: &[Name]) -> Vec<Offer> {
    let most = (capacity.cpu, capacity.memory);
    let mut offers: Vec<Offer> = Vec::new();
    for zone in zones {
        let gpus = capacity.gpus.iter();
        let gpus = gpus.map(|(model, count)| (model.clone(), *count));
        let sizes = FlexSize::usual(most, gpus).filter(|size| size.gpus.is_some());
        offers.extend(sizes.map(|size| size.offer(zone, "x86_64", None)));
    }
    offers.sort_by(|a, b| {
        (&a.zone, &a.machine_type, a.capacity).cmp(&(&b.zone, &b.machine_type, b.capacity))
    });
    offers
}

fn offer(
    family: &Family,
    size: &str,
    cpu: u32,
    capacity: CapacityKind,
    zone: &Name,
    region: &str,
) -> Offer {
    let mut price = family.price_per_cpu * i64::from(cpu) * region_percent(region);
    if capacity == CapacityKind::Spot {
        price = price * SPOT_PERCENT / 100;
    }
    Offer {
        zone: zone.clone(),
        machine_type: family.pattern.replace("{}", size),
        family: family.family.to_owned(),
        cpu,
        memory: Bytes((family.memory_per_cpu * u64::from(cpu)) << 20),
        arch: "x86_64".to_owned(),
        gpus: family.gpus.map_or(0, |(count, _)| count),
        gpu: family.gpus.map(|(_, model)| model.to_owned()),
        burstable: matches!(family.family, "t3" | "BS") || family.pattern == "e2-{}",
        capacity,
        price_hour: Some(Money::usd(Decimal::new(price, 6).normalize())),
    }
}

/// What a region costs, in hundredths of the cheapest.
fn region_percent(region: &str) -> i64 {
    let is_in = |words: &[&str]| words.iter().any(|word| region.contains(word));
    if is_in(&["us-", "east", "central"]) {
        100
    } else if is_in(&["eu", "north", "uk"]) {
        111
    } else {
        119
    }
}

/// The public images of a region, by neutral name.
pub(crate) fn images(profile: Profile, region: &str) -> PublicImages {
    let id = |name: &str| {
        let digest = Digest::of_parts([profile.as_str(), region, name]);
        let hex = &digest.as_str()[..17];
        match profile {
            Profile::Aws => format!("ami-{hex}"),
            Profile::Azure => format!("Canonical:{name}:server:latest"),
            Profile::Gcp => format!("projects/{name}-cloud/global/images/{name}-v{}", &hex[..8]),
            Profile::Onprem => format!("{name}.qcow2"),
        }
    };
    IMAGES
        .into_iter()
        .map(|name| (name.to_owned(), ResourceId::from(id(name))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_lists() {
        let zones = Profile::Aws.zones("us-east-1");
        let offers = offers(Profile::Aws, "us-east-1", &zones);
        let find = |name: &str, capacity| {
            offers
                .iter()
                .find(|o| o.machine_type == name && o.capacity == capacity)
                .unwrap_or_else(|| panic!("{name} is on sale"))
        };
        let m5 = find("m5.xlarge", CapacityKind::OnDemand);
        assert_eq!((m5.cpu, m5.memory), (4, Bytes::gib(16)));
        assert_eq!(
            m5.price_hour.map(|p| p.to_string()),
            Some("0.192 USD".to_owned())
        );
        let spot = find("m5.xlarge", CapacityKind::Spot);
        assert_eq!(
            spot.price_hour.map(|p| p.to_string()),
            Some("0.06144 USD".to_owned())
        );
        assert_eq!(
            find("t3.micro", CapacityKind::OnDemand).memory,
            Bytes::gib(1)
        );
        let g4dn = find("g4dn.12xlarge", CapacityKind::OnDemand);
        assert_eq!((g4dn.gpus, g4dn.gpu.as_deref()), (4, Some("T4")));
        assert_eq!((m5.gpus, m5.gpu.as_deref()), (0, None));
    }

    #[test]
    fn every_type_finds_its_family() {
        for profile in Profile::ALL {
            for offer in offers(profile, "r", &profile.zones("r")) {
                assert_eq!(
                    family_of(profile, &offer.machine_type),
                    offer.family,
                    "{offer:?}"
                );
            }
        }
        assert_eq!(family_of(Profile::Onprem, "flex-4-16384"), "flex");
    }

    #[test]
    fn offers_are_sorted_and_unlike_between_zones() {
        for profile in [Profile::Aws, Profile::Azure, Profile::Gcp] {
            let zones = profile.zones("r");
            let offers = offers(profile, "r", &zones);
            let key = |o: &Offer| (o.zone.clone(), o.machine_type.clone(), o.capacity);
            assert!(offers.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
            let count = |zone: &Name| offers.iter().filter(|o| o.zone == *zone).count();
            assert!(count(&zones[0]) > count(&zones[2]));
        }
    }
}
