//! Images: Amazon machine images by neutral name.
//!
//! Making an image of a file is not offered: AWS imports disk images through a bucket and a
//! service role of their own, in minutes to hours. The capabilities say so, so that a plan that
//! asks for one is refused before anything is called.

mod vendors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_ec2::types::Image;
use strat_model::{ErrorKind, PublicImages, ResourceId, Result};
use strat_provider::Images;

use crate::arch;
use crate::error::{failed, refuse};
use crate::provider::{AwsProvider, filter};
use vendors::{Build, Partition};

/// The EBS disks that an image brings.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImageDisks {
    /// The device that it boots from.
    pub(crate) root: String,
    /// All of them, that one too.
    pub(crate) all: Vec<ImageDisk>,
}

/// An EBS disk that an image brings.
#[derive(Debug, Clone)]
pub(crate) struct ImageDisk {
    pub(crate) device: String,
    pub(crate) gib: Option<i32>,
    pub(crate) snapshot: Option<String>,
    /// Whether it ends with its machine, where the image says.
    pub(crate) ends: Option<bool>,
}

/// What disks images bring, by image: it never changes.
#[derive(Debug, Default)]
pub(crate) struct DisksOfImages(Mutex<BTreeMap<ResourceId, ImageDisks>>);

impl DisksOfImages {
    fn get(&self, image: &ResourceId) -> Option<ImageDisks> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(image).cloned()
    }

    fn learn(&self, image: &Image) {
        let (Some(id), Some(root)) = (image.image_id(), image.root_device_name()) else {
            return;
        };
        let disks = image.block_device_mappings().iter().filter_map(|mapping| {
            let ebs = mapping.ebs()?;
            Some(ImageDisk {
                device: mapping.device_name()?.to_owned(),
                gib: ebs.volume_size(),
                snapshot: ebs.snapshot_id().map(str::to_owned),
                ends: ebs.delete_on_termination(),
            })
        });
        let disks = ImageDisks {
            root: root.to_owned(),
            all: disks.collect(),
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(ResourceId::from(id), disks);
    }
}

impl AwsProvider {
    /// The disks that an image brings.
    pub(crate) async fn disks_of_image(&self, image: &ResourceId) -> Result<ImageDisks> {
        if let Some(disks) = self.image_disks.get(image) {
            return Ok(disks);
        }
        let call = self.ec2().describe_images().image_ids(image.as_str());
        let answer = call.send().await.map_err(failed("ec2:DescribeImages"))?;
        answer
            .images()
            .iter()
            .for_each(|image| self.image_disks.learn(image));
        let missing = || {
            refuse(
                ErrorKind::Invalid,
                format!("there is no image {image} here"),
            )
        };
        self.image_disks.get(image).ok_or_else(missing)
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
            self.image_disks.learn(image);
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
        let partition = Partition::of(&self.settings.region);
        let mut pages = self
            .ec2()
            .describe_images()
            .set_owners(Some(vendors::owners(partition)))
            .filters(filter("name", vendors::patterns(partition)))
            .filters(filter("architecture", arch::words()))
            .filters(filter("state", ["available"]))
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut newest: BTreeMap<_, Build> = BTreeMap::new();
        while let Some(image) = pages.next().await {
            let image = image.map_err(failed("ec2:DescribeImages"))?;
            let Some((line, build)) = vendors::build(&image, partition) else {
                continue;
            };
            self.image_disks.learn(&image);
            let best = newest.entry(line).or_insert_with(|| build.clone());
            if build > *best {
                *best = build;
            }
        }
        let mut images = PublicImages::default();
        for ((name, arch), build) in newest {
            images.insert(name, Some(arch), build.id);
        }
        self.add_named(&mut images).await?;
        Ok(images)
    }
}
