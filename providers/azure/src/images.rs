//! Images: the marketplace's by neutral name, each the newest version of its line.
//!
//! Making an image of a file is not offered: it takes an upload to a storage account first. The
//! capabilities say so, so that a plan that asks for one is refused before anything is called.

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use strat_model::{ErrorKind, PublicImages, ResourceId, Result};
use strat_provider::Images;

use crate::arm::Call;
use crate::error::{if_there, refuse};
use crate::names::VM;
use crate::observe::some_at_once;
use crate::provider::AzureProvider;

/// The permission that looking at the marketplace takes.
const READ: &str = "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read";

/// A neutral name, an instruction set, and the line of the marketplace that is meant.
///
/// - Debian: <https://wiki.debian.org/Cloud/MicrosoftAzure>
/// - Ubuntu: <https://documentation.ubuntu.com/azure/azure-how-to/instances/find-ubuntu-images/>
/// - Rocky Linux: <https://rockylinux.org/download>, published by `resf`, with a plan
type Line = (&'static str, &'static str, &'static str);

const LINES: [Line; 10] = [
    ("debian-11", "x86_64", "Debian:debian-11:11-gen2"),
    ("debian-12", "x86_64", "Debian:debian-12:12-gen2"),
    ("debian-12", "aarch64", "Debian:debian-12:12-arm64"),
    ("debian-13", "x86_64", "Debian:debian-13:13-gen2"),
    ("debian-13", "aarch64", "Debian:debian-13:13-arm64"),
    ("rocky-linux-9", "x86_64", "resf:rockylinux-x86_64:9-base"),
    (
        "ubuntu-22.04",
        "x86_64",
        "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
    ),
    (
        "ubuntu-22.04",
        "aarch64",
        "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-arm64",
    ),
    (
        "ubuntu-24.04",
        "x86_64",
        "Canonical:ubuntu-24_04-lts:server",
    ),
    (
        "ubuntu-24.04",
        "aarch64",
        "Canonical:ubuntu-24_04-lts:server-arm64",
    ),
];

/// The version that stands for the newest.
const LATEST: &str = "latest";

/// What a machine is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// An image of the marketplace: `PUBLISHER:OFFER:SKU:VERSION`.
    Marketplace {
        publisher: String,
        offer: String,
        sku: String,
        version: String,
    },
    /// An image or a version of a gallery's, by its path.
    Own(String),
}

impl Source {
    /// Reads one; `None` for what is neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("/subscriptions/") {
            let known = lower.contains("/images/") && crate::names::Place::of_path(text).is_some();
            return known.then(|| Self::Own(text.to_owned()));
        }
        let parts: Vec<&str> = text.split(':').collect();
        let [publisher, offer, sku, version] = parts.as_slice() else {
            return None;
        };
        let good = parts.iter().all(|part| crate::names::is_name(part));
        good.then(|| Self::Marketplace {
            publisher: (*publisher).to_owned(),
            offer: (*offer).to_owned(),
            sku: (*sku).to_owned(),
            version: (*version).to_owned(),
        })
    }

    /// How the call that makes a machine refers to it.
    pub(crate) fn reference(&self) -> Value {
        match self {
            Self::Marketplace {
                publisher,
                offer,
                sku,
                version,
            } => json!({ "publisher": publisher, "offer": offer, "sku": sku, "version": version }),
            Self::Own(path) => json!({ "id": path }),
        }
    }
}

/// Under which plan an image is sold: the call that makes a machine of it names it.
///
/// <https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage>
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Plan {
    name: String,
    product: String,
    publisher: String,
}

impl Plan {
    pub(crate) fn write(&self) -> Value {
        json!({ "name": self.name, "product": self.product, "publisher": self.publisher })
    }
}

/// A version of an image of the marketplace.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    name: String,
    properties: VersionProperties,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VersionProperties {
    plan: Option<Plan>,
}

impl AzureProvider {
    fn versions(&self, publisher: &str, offer: &str, sku: &str) -> String {
        format!(
            "{}/providers/Microsoft.Compute/locations/{}/publishers/{publisher}/artifacttypes/vmimage\
             /offers/{offer}/skus/{sku}/versions",
            self.subscription(),
            self.settings.region
        )
    }

    /// The newest version of a line, if the line is there.
    async fn newest(&self, publisher: &str, offer: &str, sku: &str) -> Result<Option<String>> {
        let path = self.versions(publisher, offer, sku);
        let call = Call::new(READ, Method::GET, path, VM.version);
        let call = call.with("$top", "1").with("$orderby", "name desc");
        let answer = if_there(self.send(&call).await)?;
        let versions: Vec<Version> = match answer {
            Some(answer) => answer.read(READ)?,
            None => Vec::new(),
        };
        Ok(versions.into_iter().next().map(|version| version.name))
    }

    /// The id by which machines are made of an image: that of its newest version, where it names none.
    async fn resolve(&self, source: &Source) -> Result<Option<ResourceId>> {
        match source {
            Source::Own(path) => Ok(Some(ResourceId::from(path))),
            Source::Marketplace {
                publisher,
                offer,
                sku,
                version,
            } => {
                let version = match version.as_str() {
                    LATEST => self.newest(publisher, offer, sku).await?,
                    version => Some(version.to_owned()),
                };
                let id = |version| ResourceId::from(format!("{publisher}:{offer}:{sku}:{version}"));
                Ok(version.map(id))
            }
        }
    }

    /// The plan of an image, if it is sold under one.
    ///
    /// # Errors
    /// `NotFound` for an image that is not there.
    pub(crate) async fn plan_of(&self, source: &Source) -> Result<Option<Plan>> {
        let Source::Marketplace {
            publisher,
            offer,
            sku,
            version,
        } = source
        else {
            return Ok(None);
        };
        let path = self.versions(publisher, offer, sku);
        let call = Call::new(READ, Method::GET, format!("{path}/{version}"), VM.version);
        let found: Option<Version> = self.find_one(&call).await?;
        let found = found.ok_or_else(|| {
            let message = format!("there is no image {publisher}:{offer}:{sku}:{version}");
            refuse(ErrorKind::NotFound, message)
        })?;
        Ok(found.properties.plan)
    }
}

#[async_trait]
impl Images for AzureProvider {
    /// One call a line; and those that the site's `images` names, which win.
    async fn public_images(&self) -> Result<PublicImages> {
        let sources: Vec<Option<Source>> = LINES
            .iter()
            .map(|(_, _, line)| Source::parse(&format!("{line}:{LATEST}")))
            .collect();
        let reads = sources.iter().flatten();
        let found = some_at_once(reads.map(|source| self.resolve(source)).collect()).await;
        let mut images = PublicImages::default();
        for ((name, arch, _), id) in LINES.iter().zip(found) {
            if let Some(id) = id? {
                images.insert(*name, Some(arch), id);
            }
        }
        for (name, text) in &self.settings.images {
            let id = match Source::parse(text) {
                Some(source) => self.resolve(&source).await?,
                None => None,
            };
            let id = id.ok_or_else(|| {
                let message = format!(
                    "`images` of the site says that {text} is `{name}`, and it is not there"
                );
                refuse(ErrorKind::Invalid, message)
            })?;
            images.insert(name, None, id);
        }
        Ok(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_that_can_be_asked_for() {
        for (name, _, line) in LINES {
            assert!(
                Source::parse(&format!("{line}:{LATEST}")).is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn images_are_of_the_marketplace_or_ones_own() {
        let own = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/own";
        let gallery = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/x/\
                       images/own/versions/1.0.0";
        for good in [own, gallery, "P:o:s:1.2.3"] {
            assert!(Source::parse(good).is_some(), "{good}");
        }
        for bad in [
            "debian-12",
            "P:o:s",
            "P:o:s/../x:1",
            "/subscriptions/s",
            "a:b:c:d:e",
        ] {
            assert_eq!(Source::parse(bad), None, "{bad}");
        }
    }
}
