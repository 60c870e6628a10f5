//! What Google has: regions, zones, machine and disk types, public images. A handful of each.
//!
//! Shapes: <https://cloud.google.com/compute/docs/general-purpose-machines>; zones:
//! <https://cloud.google.com/compute/docs/regions-zones>; image families:
//! <https://cloud.google.com/compute/docs/images/os-details>.

use serde_json::{Value, json};

use crate::kinds::{Key, LINK, Scope};
use crate::text::fingerprint;
use crate::world::{Fields, World};

/// Regions, with the letters of their zones.
const REGIONS: [(&str, &str); 5] = [
    ("europe-north1", "abc"),
    ("europe-west1", "bcd"),
    ("europe-west4", "abc"),
    ("us-central1", "abcf"),
    ("us-east4", "abc"),
];

/// Predefined machine types: the family, its CPUs, MB of memory for each CPU, and the architecture.
const FAMILIES: [(&str, &[u64], u64, &str); 16] = [
    ("e2-standard", &[2, 4, 8, 16, 32], 4_096, "X86_64"),
    ("e2-highmem", &[2, 4, 8, 16], 8_192, "X86_64"),
    ("e2-highcpu", &[2, 4, 8, 16, 32], 1_024, "X86_64"),
    (
        "n1-standard",
        &[1, 2, 4, 8, 16, 32, 64, 96],
        3_840,
        "X86_64",
    ),
    ("n1-highmem", &[2, 4, 8, 16, 32, 64, 96], 6_656, "X86_64"),
    (
        "n2-standard",
        &[2, 4, 8, 16, 32, 48, 64, 80],
        4_096,
        "X86_64",
    ),
    (
        "n2-highmem",
        &[2, 4, 8, 16, 32, 48, 64, 80],
        8_192,
        "X86_64",
    ),
    (
        "n2-highcpu",
        &[2, 4, 8, 16, 32, 48, 64, 80],
        1_024,
        "X86_64",
    ),
    (
        "n2d-standard",
        &[2, 4, 8, 16, 32, 48, 64, 80, 96],
        4_096,
        "X86_64",
    ),
    (
        "n2d-highmem",
        &[2, 4, 8, 16, 32, 48, 64, 80, 96],
        8_192,
        "X86_64",
    ),
    (
        "n2d-highcpu",
        &[2, 4, 8, 16, 32, 48, 64, 80, 96],
        1_024,
        "X86_64",
    ),
    ("c2-standard", &[4, 8, 16, 30, 60], 4_096, "X86_64"),
    ("c3-standard", &[4, 8, 22, 44, 88, 176], 4_096, "X86_64"),
    ("c3-highcpu", &[4, 8, 22, 44, 88, 176], 2_048, "X86_64"),
    (
        "t2d-standard",
        &[1, 2, 4, 8, 16, 32, 48, 60],
        4_096,
        "X86_64",
    ),
    ("t2a-standard", &[1, 2, 4, 8, 16, 32, 48], 4_096, "ARM64"),
];

/// Types that share a core: their name and MB of memory. Each shows two CPUs.
const SHARED: [(&str, u64); 3] = [
    ("e2-micro", 1_024),
    ("e2-small", 2_048),
    ("e2-medium", 4_096),
];

/// Public images: project, family, the image's name, its GB, and the architecture.
const IMAGES: [(&str, &str, &str, u64, &str); 14] = [
    (
        "debian-cloud",
        "debian-12",
        "debian-12-bookworm-v20261012",
        10,
        "X86_64",
    ),
    (
        "debian-cloud",
        "debian-12",
        "debian-12-bookworm-v20261110",
        10,
        "X86_64",
    ),
    (
        "debian-cloud",
        "debian-12-arm64",
        "debian-12-bookworm-arm64-v20261110",
        10,
        "ARM64",
    ),
    (
        "debian-cloud",
        "debian-13",
        "debian-13-trixie-v20261110",
        10,
        "X86_64",
    ),
    (
        "debian-cloud",
        "debian-13-arm64",
        "debian-13-trixie-arm64-v20261110",
        10,
        "ARM64",
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2204-lts",
        "ubuntu-2204-jammy-v20261105",
        10,
        "X86_64",
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2404-lts-amd64",
        "ubuntu-2404-noble-amd64-v20261105",
        10,
        "X86_64",
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2404-lts-arm64",
        "ubuntu-2404-noble-arm64-v20261105",
        10,
        "ARM64",
    ),
    (
        "rocky-linux-cloud",
        "rocky-linux-9",
        "rocky-linux-9-v20261104",
        20,
        "X86_64",
    ),
    (
        "rocky-linux-cloud",
        "rocky-linux-9-arm64",
        "rocky-linux-9-arm64-v20261104",
        20,
        "ARM64",
    ),
    (
        "centos-cloud",
        "centos-stream-9",
        "centos-stream-9-v20261103",
        20,
        "X86_64",
    ),
    (
        "cos-cloud",
        "cos-stable",
        "cos-stable-121-18867-0-66",
        10,
        "X86_64",
    ),
    (
        "cos-cloud",
        "cos-arm64-stable",
        "cos-arm64-stable-121-18867-0-66",
        10,
        "ARM64",
    ),
    (
        "opensuse-cloud",
        "opensuse-leap",
        "opensuse-leap-15-6-v20261101-x86-64",
        10,
        "X86_64",
    ),
];

/// Disk types: the name, its smallest and largest disk in GB, and what is made where no size is
/// given.
const DISK_TYPES: [(&str, &str, u64); 5] = [
    ("pd-standard", "10GB-65536GB", 500),
    ("pd-balanced", "10GB-65536GB", 100),
    ("pd-ssd", "10GB-65536GB", 100),
    ("pd-extreme", "500GB-65536GB", 1_000),
    ("hyperdisk-balanced", "4GB-65536GB", 100),
];

/// A machine type's fields.
pub(crate) fn machine_type(cpus: u64, mb: u64, architecture: &str, is_shared: bool) -> Fields {
    let fields = json!({
        "guestCpus": cpus,
        "memoryMb": mb,
        "architecture": architecture,
        "isSharedCpu": is_shared,
        "imageSpaceGb": 0,
        "maximumPersistentDisks": if is_shared { 16 } else { 128 },
        "maximumPersistentDisksSizeGb": if is_shared { "3072" } else { "263168" },
        "description": format!("{cpus} vCPU, {} GB RAM", mb / 1_024),
    });
    fields.as_object().cloned().unwrap_or_default()
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// Fills a new world.
pub(crate) fn fill(world: &mut World) {
    for project in world.projects.clone() {
        fill_project(world, &project);
        for (region, letters) in REGIONS {
            let key = Key::new(&project, "regions", Scope::Project, region);
            let zones: Vec<String> = letters.chars().map(|c| format!("{region}-{c}")).collect();
            let link = |zone: &String| format!("{LINK}projects/{project}/zones/{zone}");
            let links: Vec<String> = zones.iter().map(link).collect();
            let shown = json!({ "status": "UP", "zones": links, "description": region });
            world.put(&key, fields(shown));
            for zone in zones {
                fill_zone(world, &project, region, &zone);
            }
        }
    }
    for (project, family, name, gb, architecture) in IMAGES {
        add_image(world, project, family, name, gb, architecture);
    }
}

fn fill_zone(world: &mut World, project: &str, region: &str, zone: &str) {
    let key = Key::new(project, "zones", Scope::Project, zone);
    let region = format!("{LINK}projects/{project}/regions/{region}");
    let shown = json!({ "status": "UP", "region": region, "description": zone });
    world.put(&key, fields(shown));
    let here = Scope::Zone(zone.to_owned());
    for (family, sizes, mb, architecture) in FAMILIES {
        // Arm machines are in some zones only.
        if architecture == "ARM64" && !["us-central1-a", "europe-west4-a"].contains(&zone) {
            continue;
        }
        for cpus in sizes {
            let key = Key::new(
                project,
                "machineTypes",
                here.clone(),
                &format!("{family}-{cpus}"),
            );
            world.put(&key, machine_type(*cpus, cpus * mb, architecture, false));
        }
    }
    for (name, mb) in SHARED {
        let key = Key::new(project, "machineTypes", here.clone(), name);
        world.put(&key, machine_type(2, mb, "X86_64", true));
    }
    for (name, sizes, default) in DISK_TYPES {
        let key = Key::new(project, "diskTypes", here.clone(), name);
        let shown = json!({ "validDiskSize": sizes, "defaultDiskSizeGb": default.to_string() });
        world.put(&key, fields(shown));
    }
}

/// Publishes an image.
pub(crate) fn add_image(
    world: &mut World,
    project: &str,
    family: &str,
    name: &str,
    gb: u64,
    architecture: &str,
) {
    let key = Key::new(project, "images", Scope::Global, name);
    let shown = json!({
        "family": family,
        "status": "READY",
        "diskSizeGb": gb.to_string(),
        "archiveSizeBytes": (gb << 28).to_string(),
        "architecture": architecture,
        "sourceType": "RAW",
        "guestOsFeatures": [{ "type": "UEFI_COMPATIBLE" }, { "type": "GVNIC" }],
        "licenses": [format!("{LINK}projects/{project}/global/licenses/{family}")],
        "storageLocations": ["eu"],
    });
    world.put(&key, fields(shown));
}

/// The number of a project.
pub(crate) fn project_number(name: &str) -> u64 {
    let digest = fingerprint(&json!(name));
    digest.bytes().fold(100_000_000_000, |sum, byte| {
        sum * 3 % 899_999_999_999 + u64::from(byte)
    })
}

/// What a project has besides its quotas.
fn fill_project(world: &mut World, name: &str) {
    let number = project_number(name);
    let shown = json!({
        "defaultNetworkTier": "PREMIUM",
        "defaultServiceAccount": format!("{number}-compute@developer.gserviceaccount.com"),
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "commonInstanceMetadata": {
            "kind": "compute#metadata", "fingerprint": fingerprint(&json!({})),
        },
    });
    let key = Key::new(name, "projects", Scope::Project, name);
    world.put(&key, fields(shown));
    if let Some(fields) = world.things.get_mut(&key) {
        fields.insert("id".to_owned(), json!(number.to_string()));
    }
}
