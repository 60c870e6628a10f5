//! Images of the marketplace.
//! <https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::has_location;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::World;

/// An image that a machine can be made from.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) version: String,
    /// `x64` or `Arm64`.
    pub(crate) architecture: &'static str,
    /// GB of its disk.
    pub(crate) gb: u64,
    /// The plan that is bought with it.
    pub(crate) plan: Option<String>,
}

/// What all versions of one SKU share, and its versions.
#[derive(Debug, Clone)]
struct Sku {
    architecture: &'static str,
    gb: u64,
    has_plan: bool,
    versions: BTreeSet<Vec<u64>>,
}

/// The images, by publisher, offer and SKU in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Images(BTreeMap<[String; 3], Sku>);

/// Publisher, offer, SKU, version, architecture, GB, whether there is a plan.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u64,
    bool,
);

const IMAGES: [Row; 17] = [
    (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts",
        "22.04.202610150",
        "x64",
        30,
        false,
    ),
    (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "22.04.202610150",
        "x64",
        30,
        false,
    ),
    (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "22.04.202611050",
        "x64",
        30,
        false,
    ),
    (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-arm64",
        "22.04.202611050",
        "Arm64",
        30,
        false,
    ),
    (
        "Canonical",
        "ubuntu-24_04-lts",
        "server",
        "24.04.202610090",
        "x64",
        30,
        false,
    ),
    (
        "Canonical",
        "ubuntu-24_04-lts",
        "server",
        "24.04.202611060",
        "x64",
        30,
        false,
    ),
    (
        "Canonical",
        "ubuntu-24_04-lts",
        "server-arm64",
        "24.04.202611060",
        "Arm64",
        30,
        false,
    ),
    (
        "Debian",
        "debian-12",
        "12-gen2",
        "0.20261013.2259",
        "x64",
        30,
        false,
    ),
    (
        "Debian",
        "debian-12",
        "12-gen2",
        "0.20261110.2287",
        "x64",
        30,
        false,
    ),
    (
        "Debian",
        "debian-12",
        "12-arm64",
        "0.20261110.2287",
        "Arm64",
        30,
        false,
    ),
    (
        "Debian",
        "debian-13",
        "13-gen2",
        "0.20261110.2287",
        "x64",
        30,
        false,
    ),
    (
        "Debian",
        "debian-13",
        "13-arm64",
        "0.20261110.2287",
        "Arm64",
        30,
        false,
    ),
    (
        "almalinux",
        "almalinux-x86_64",
        "9-gen2",
        "9.6.202611010",
        "x64",
        30,
        false,
    ),
    (
        "almalinux",
        "almalinux-arm",
        "9-arm-gen2",
        "9.6.202611010",
        "Arm64",
        30,
        false,
    ),
    (
        "resf",
        "rockylinux-x86_64",
        "9-base",
        "9.6.20261001",
        "x64",
        10,
        true,
    ),
    (
        "RedHat",
        "RHEL",
        "9-lvm-gen2",
        "9.6.2026110313",
        "x64",
        64,
        false,
    ),
    (
        "SUSE",
        "opensuse-leap-15-6",
        "gen2",
        "2026.11.02",
        "x64",
        30,
        false,
    ),
];

/// The images that there are at the start.
pub(crate) fn images() -> Images {
    let mut images = Images::default();
    for (publisher, offer, sku, version, architecture, gb, has_plan) in IMAGES {
        let key = [publisher, offer, sku].map(str::to_lowercase);
        let sku = images.0.entry(key).or_insert_with(|| Sku {
            architecture,
            gb,
            has_plan,
            versions: BTreeSet::new(),
        });
        sku.versions.insert(numbers(version));
    }
    images
}

/// Publishes a version of a SKU; of a new SKU where it is not there yet.
pub(crate) fn add_image(images: &mut Images, of: [&str; 3], version: &str) {
    let sku = images
        .0
        .entry(of.map(str::to_lowercase))
        .or_insert_with(|| Sku {
            architecture: "x64",
            gb: 30,
            has_plan: false,
            versions: BTreeSet::new(),
        });
    sku.versions.insert(numbers(version));
}

/// A version as numbers, which is how versions are in an order.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

fn text(version: &[u64]) -> String {
    // `22.04` is written with its zero.
    let parts = version
        .iter()
        .enumerate()
        .map(|(at, number)| match (at, version[0]) {
            (1, 20..=99) => format!("{number:02}"),
            _ => number.to_string(),
        });
    parts.collect::<Vec<String>>().join(".")
}

/// A name as it was first written.
fn written(lower: &str) -> String {
    let all = IMAGES
        .iter()
        .flat_map(|(publisher, offer, sku, ..)| [*publisher, *offer, *sku]);
    let mut found = all.filter(|name| name.eq_ignore_ascii_case(lower));
    found.next().unwrap_or(lower).to_owned()
}

impl Images {
    /// The image of a version, or of `latest`.
    pub(crate) fn find(&self, of: [&str; 3], version: &str) -> Option<Image> {
        let sku = self.0.get(&of.map(str::to_lowercase))?;
        let found = match version.eq_ignore_ascii_case("latest") {
            true => sku.versions.last()?,
            false => sku.versions.get(&numbers(version))?,
        };
        Some(Image {
            version: text(found),
            architecture: sku.architecture,
            gb: sku.gb,
            plan: sku.has_plan.then(|| of[2].to_owned()),
        })
    }

    /// Whether there is a plan of that name.
    pub(crate) fn has_plan(&self, publisher: &str, offer: &str, plan: &str) -> bool {
        let found = self.0.get(&[publisher, offer, plan].map(str::to_lowercase));
        found.is_some_and(|sku| sku.has_plan)
    }

    /// The different words at a place of the keys, after those that are given.
    fn words(&self, given: &[String]) -> Vec<String> {
        let all = self.0.keys().filter(|key| key.starts_with(given));
        let mut words: Vec<String> = all.map(|key| written(&key[given.len()])).collect();
        words.sort();
        words.dedup();
        words
    }
}

/// Publishers, offers, SKUs, versions and images in a location.
/// <https://learn.microsoft.com/rest/api/compute/virtual-machine-images>
pub(crate) fn answer(
    world: &World,
    call: &Call<'_>,
    location: &str,
    rest: &[&str],
) -> Result<Answer, Refusal> {
    let not_found = |what: &str| {
        let message = format!("Artifact: VMImage was not found: {what} in '{location}'.");
        Refusal::new(404, "NotFound", message)
    };
    if !has_location(location) {
        return Err(not_found("the location"));
    }
    let lower =
        |words: &[&str]| -> Vec<String> { words.iter().map(|word| word.to_lowercase()).collect() };
    let (given, version) = match rest {
        [] => (Vec::new(), None),
        [publisher, "artifacttypes" | "artifactTypes", _, "offers"] => (lower(&[publisher]), None),
        [publisher, _, _, "offers", offer, "skus"] => (lower(&[publisher, offer]), None),
        [publisher, _, _, "offers", offer, "skus", sku, "versions"] => {
            (lower(&[publisher, offer, sku]), None)
        }
        [
            publisher,
            _,
            _,
            "offers",
            offer,
            "skus",
            sku,
            "versions",
            version,
        ] => (lower(&[publisher, offer, sku]), Some(*version)),
        _ => return Err(Refusal::no_such_type(&call.asked.path)),
    };
    let base = call.asked.path.trim_end_matches('/');
    let item = |name: String| json!({ "id": format!("{base}/{name}"), "name": name, "location": location });
    if given.len() < 3 {
        let words = world.images.words(&given);
        return match words.is_empty() {
            true => Err(not_found("what comes before")),
            false => Ok(Answer::json(200, &words.into_iter().map(item).collect())),
        };
    }
    let key: [String; 3] = given.try_into().map_err(|_| not_found("the SKU"))?;
    let sku = world
        .images
        .0
        .get(&key)
        .ok_or_else(|| not_found("the SKU"))?;
    let Some(version) = version else {
        let mut versions: Vec<String> = sku.versions.iter().map(|version| text(version)).collect();
        if call
            .query("$orderby")
            .is_some_and(|order| order.to_lowercase().ends_with("desc"))
        {
            versions.reverse();
        }
        let top = call.query("$top").and_then(|top| top.parse().ok());
        versions.truncate(top.unwrap_or(usize::MAX));
        return Ok(Answer::json(200, &versions.into_iter().map(item).collect()));
    };
    let of = [key[0].as_str(), key[1].as_str(), key[2].as_str()];
    let image = world
        .images
        .find(of, version)
        .ok_or_else(|| not_found("the version"))?;
    let mut properties = json!({
        "hyperVGeneration": if key[2].ends_with("gen1") { "V1" } else { "V2" },
        "architecture": image.architecture,
        "osDiskImage": { "operatingSystem": "Linux" },
        "dataDiskImages": [],
        "automaticOSUpgradeProperties": { "automaticOSUpgradeSupported": false },
    });
    if image.plan.is_some() {
        properties["plan"] = json!({
            "publisher": written(of[0]), "name": written(of[2]), "product": written(of[1]),
        });
    }
    let mut shown: Value = item(image.version.clone());
    if version.eq_ignore_ascii_case("latest") {
        shown["id"] = json!(base.replace("latest", &image.version));
    } else {
        shown["id"] = json!(base);
    }
    shown["properties"] = properties;
    Ok(Answer::json(200, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_version_is_the_greatest_number() {
        let mut images = images();
        let of = ["canonical", "Ubuntu-24_04-LTS", "server"];
        let found = images.find(of, "latest").expect("an image");
        assert_eq!(found.version, "24.04.202611060");
        add_image(&mut images, of, "24.04.202611100");
        let found = images.find(of, "LATEST").expect("an image");
        assert_eq!(found.version, "24.04.202611100");
        let debian = images.find(["Debian", "debian-12", "12-gen2"], "latest");
        assert_eq!(debian.expect("an image").version, "0.20261110.2287");
    }
}
