//! Images: Amazon machine images by neutral name.
//!
//! Making an image of a file is not offered: AWS imports disk images through a bucket and a
//! service role of their own, in minutes to hours. The capabilities say so, so that a plan that
//! asks for one is refused before anything is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_ec2::types::{Image, ImageState};
use strat_model::{ErrorKind, PublicImages, ResourceId, Result};
use strat_provider::Images;

use crate::arch;
use crate::error::{failed, refuse};
use crate::provider::{AwsProvider, filter};

/// What a publisher calls each of our instruction sets in the names of its images.
type Words = [(&'static str, &'static str); 2];

/// A neutral name, the account that publishes its images, and what those are called: `{arch}`
/// stands for the publisher's word.
struct Line {
    neutral: &'static str,
    owner: &'static str,
    pattern: &'static str,
    words: Words,
}

const DEBIAN: &str = "136693071363";
const UBUNTU: &str = "099720109477";
const AMAZON: &str = "137112412989";

const DEB: Words = [("x86_64", "amd64"), ("aarch64", "arm64")];
const RPM: Words = [("x86_64", "x86_64"), ("aarch64", "arm64")];

const fn line(
    neutral: &'static str,
    owner: &'static str,
    pattern: &'static str,
    words: Words,
) -> Line {
    Line {
        neutral,
        owner,
        pattern,
        words,
    }
}

/// Who publishes what, by the publishers' own pages:
/// - Debian: <https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm>
/// - Ubuntu: <https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/>
/// - Amazon Linux: <https://docs.aws.amazon.com/linux/al2023/ug/ec2.html>
#[rustfmt::skip]
const LINES: [Line; 7] = [
    line("debian-11", DEBIAN, "debian-11-{arch}-*", DEB),
    line("debian-12", DEBIAN, "debian-12-{arch}-*", DEB),
    line("debian-13", DEBIAN, "debian-13-{arch}-*", DEB),
    line("ubuntu-22.04", UBUNTU, "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{arch}-server-*", DEB),
    line("ubuntu-24.04", UBUNTU, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{arch}-server-*", DEB),
    line("amazon-linux-2", AMAZON, "amzn2-ami-hvm-2.0.*-{arch}-gp2", RPM),
    line("amazon-linux-2023", AMAZON, "al2023-ami-2023.*-{arch}", RPM),
];

impl Line {
    /// Our word for each instruction set, and the pattern of the names of its images.
    fn patterns(&self) -> impl Iterator<Item = (&'static str, String)> {
        let pattern = self.pattern;
        let names = self.words.into_iter();
        names.map(move |(arch, word)| (arch, pattern.replace("{arch}", word)))
    }
}

/// The device that an image boots from, by image: it never changes.
#[derive(Debug, Default)]
pub(crate) struct RootDevices(Mutex<BTreeMap<ResourceId, String>>);

impl RootDevices {
    fn get(&self, image: &ResourceId) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(image).cloned()
    }

    fn learn(&self, image: &Image) {
        if let (Some(id), Some(root)) = (image.image_id(), image.root_device_name()) {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(ResourceId::from(id), root.to_owned());
        }
    }
}

impl AwsProvider {
    /// The device that an image boots from.
    pub(crate) async fn root_device(&self, image: &ResourceId) -> Result<String> {
        if let Some(root) = self.roots.get(image) {
            return Ok(root);
        }
        let call = self.ec2().describe_images().image_ids(image.as_str());
        let answer = call.send().await.map_err(failed("ec2:DescribeImages"))?;
        answer
            .images()
            .iter()
            .for_each(|image| self.roots.learn(image));
        let missing = || {
            refuse(
                ErrorKind::Invalid,
                format!("there is no image {image} here"),
            )
        };
        self.roots.get(image).ok_or_else(missing)
    }

    /// Adds the images that the site's `images` names, each for the instruction set it is of: they
    /// win over those that are found.
    async fn add_named(&self, images: &mut PublicImages) -> Result<()> {
        let named = &self.settings.images;
        let ids: BTreeSet<&String> = named.values().flatten().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let call = self.ec2().describe_images();
        let call = call.set_image_ids(Some(ids.into_iter().cloned().collect()));
        let answer = call.send().await.map_err(failed("ec2:DescribeImages"))?;
        let mut archs = BTreeMap::new();
        for image in answer.images() {
            self.roots.learn(image);
            let word = image.architecture().map_or("", |word| word.as_str());
            if let (Some(id), Some(arch)) = (image.image_id(), arch::of_word(word)) {
                archs.insert(id, arch);
            }
        }
        for (name, ids) in named {
            for id in ids {
                let Some(arch) = archs.get(id.as_str()) else {
                    let message = format!(
                        "`images` of the site says that {id} is `{name}`, but it is of no \
                         instruction set that machines here have"
                    );
                    return Err(refuse(ErrorKind::Invalid, message));
                };
                images.insert(name.clone(), Some(arch), ResourceId::from(id));
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Images for AwsProvider {
    /// The newest image of each line, in one paginated call for all of them; and those that the
    /// site's `images` names, which win.
    async fn public_images(&self) -> Result<PublicImages> {
        let owners = [DEBIAN, UBUNTU, AMAZON].map(str::to_owned).to_vec();
        let patterns = LINES.iter().flat_map(Line::patterns);
        let mut pages = self
            .ec2()
            .describe_images()
            .set_owners(Some(owners))
            .filters(filter("name", patterns.map(|(_, name)| name)))
            .filters(filter("architecture", arch::words()))
            .filters(filter("state", ["available"]))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut newest: BTreeMap<_, Build> = BTreeMap::new();
        while let Some(image) = pages.next().await {
            let image = image.map_err(failed("ec2:DescribeImages"))?;
            let Some((line, build)) = build(&image) else {
                continue;
            };
            self.roots.learn(&image);
            let best = newest.entry(line).or_insert_with(|| build.clone());
            if build > *best {
                *best = build;
            }
        }
        let mut images = PublicImages::default();
        for ((name, arch), (_, id)) in newest {
            images.insert(name, Some(arch), id);
        }
        self.add_named(&mut images).await?;
        Ok(images)
    }
}

/// How an image ranks in its line, and which it is.
type Build = (String, ResourceId);

/// Which neutral name and instruction set an image is of, and how it ranks there.
fn build(image: &Image) -> Option<((&'static str, &'static str), Build)> {
    let name = image.name()?;
    let owner = image.owner_id();
    let lines = LINES.iter();
    let lines = lines.filter(|line| owner.is_none_or(|owner| owner == line.owner));
    let mut patterns = lines.flat_map(|line| {
        line.patterns()
            .map(move |(arch, pattern)| (line, arch, pattern))
    });
    let (line, arch, _) = patterns.find(|(.., pattern)| fits(pattern, name))?;
    if image
        .state()
        .is_some_and(|state| *state != ImageState::Available)
    {
        return None;
    }
    let created = image.creation_date().unwrap_or_default().to_owned();
    let id = ResourceId::from(image.image_id()?);
    Some(((line.neutral, arch), (created, id)))
}

/// Whether a name fits a pattern, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let last = parts.next_back().unwrap_or_default();
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_the_api_has_them() {
        let check = |pattern, name, expect| assert_eq!(fits(pattern, name), expect, "{name}");
        check("debian-12-amd64-*", "debian-12-amd64-20250210-2019", true);
        check(
            "debian-12-amd64-*",
            "debian-12-backports-amd64-20250210",
            false,
        );
        check(
            "al2023-ami-2023.*-x86_64",
            "al2023-ami-2023.6.2-kernel-6.1-x86_64",
            true,
        );
        check(
            "al2023-ami-2023.*-x86_64",
            "al2023-ami-2023.6.2-kernel-6.1-arm64",
            false,
        );
        check(
            "al2023-ami-2023.*-x86_64",
            "al2023-ami-minimal-2023.6-x86_64",
            false,
        );
    }
}
