//! Images: Amazon machine images by neutral name.
//!
//! Making an image of a file is not offered: AWS imports disk images through a bucket and a
//! service role of their own, in minutes to hours. The capabilities say so, so that a plan that
//! asks for one is refused before anything is called.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_ec2::types::{Image, ImageState};
use strat_model::{Error, ErrorKind, ImageSpec, PublicImages, Resource, ResourceId, Result};
use strat_provider::{Create, Images, Update};

use crate::error::{failed, refuse};
use crate::offers::ARCH;
use crate::provider::{AwsProvider, filter};

/// A neutral name, the account that publishes its images, and what those are called.
struct Line {
    neutral: &'static str,
    owner: &'static str,
    pattern: &'static str,
}

/// Who publishes what, by the publishers' own pages:
/// - Debian: <https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm>
/// - Ubuntu: <https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/>
/// - Amazon Linux: <https://docs.aws.amazon.com/linux/al2023/ug/ec2.html>
const LINES: [Line; 7] = [
    Line {
        neutral: "debian-11",
        owner: "136693071363",
        pattern: "debian-11-amd64-*",
    },
    Line {
        neutral: "debian-12",
        owner: "136693071363",
        pattern: "debian-12-amd64-*",
    },
    Line {
        neutral: "debian-13",
        owner: "136693071363",
        pattern: "debian-13-amd64-*",
    },
    Line {
        neutral: "ubuntu-22.04",
        owner: "099720109477",
        pattern: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*",
    },
    Line {
        neutral: "ubuntu-24.04",
        owner: "099720109477",
        pattern: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*",
    },
    Line {
        neutral: "amazon-linux-2",
        owner: "137112412989",
        pattern: "amzn2-ami-hvm-2.0.*-x86_64-gp2",
    },
    Line {
        neutral: "amazon-linux-2023",
        owner: "137112412989",
        pattern: "al2023-ami-2023.*-x86_64",
    },
];

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
}

#[async_trait]
impl Images for AwsProvider {
    /// The newest image of each line, in one paginated call for all of them; and those that the
    /// site's `images` names, which win.
    async fn public_images(&self) -> Result<PublicImages> {
        let owners = LINES.map(|line| line.owner.to_owned()).to_vec();
        let mut pages = self
            .ec2()
            .describe_images()
            .set_owners(Some(owners))
            .filters(filter("name", LINES.map(|line| line.pattern)))
            .filters(filter("architecture", [ARCH]))
            .filters(filter("state", ["available"]))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut newest: BTreeMap<String, (String, ResourceId)> = BTreeMap::new();
        while let Some(image) = pages.next().await {
            let image = image.map_err(failed("ec2:DescribeImages"))?;
            let Some((neutral, candidate)) = candidate(&image) else {
                continue;
            };
            self.roots.learn(&image);
            let best = newest
                .entry(neutral.to_owned())
                .or_insert_with(|| candidate.clone());
            if candidate > *best {
                *best = candidate;
            }
        }
        let mut images = PublicImages::default();
        for (name, (_, id)) in newest {
            images.insert(name, Some(ARCH), id);
        }
        for (name, id) in &self.settings.images {
            images.insert(name.clone(), Some(ARCH), ResourceId::from(id));
        }
        Ok(images)
    }

    async fn create_image(&self, _request: Create<'_, ImageSpec>) -> Result<Resource> {
        Err(unsupported())
    }

    async fn update_image(&self, _request: Update<'_, ImageSpec>) -> Result<Resource> {
        Err(unsupported())
    }

    async fn delete_image(&self, _id: &ResourceId) -> Result<()> {
        Err(unsupported())
    }
}

fn unsupported() -> Error {
    let what = "images are not made of files on AWS; help: name a public image, or import this one \
                with the AWS tools and name its AMI as the image";
    refuse(ErrorKind::Unsupported, what)
}

/// Which line an image is of, and how it ranks in it.
fn candidate(image: &Image) -> Option<(&'static str, (String, ResourceId))> {
    let name = image.name()?;
    let line = LINES.iter().find(|line| {
        let owned = image.owner_id().is_none_or(|owner| owner == line.owner);
        owned && fits(line.pattern, name)
    })?;
    if image
        .state()
        .is_some_and(|state| *state != ImageState::Available)
    {
        return None;
    }
    let created = image.creation_date().unwrap_or_default().to_owned();
    Some((line.neutral, (created, ResourceId::from(image.image_id()?))))
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
