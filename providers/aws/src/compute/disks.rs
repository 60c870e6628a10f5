//! The disks that live and die with a machine.
//!
//! They are EBS volumes that the launch makes and the end of the machine deletes. They carry
//! `stratiform:disk-of` and not the mark, so no list shows them as volumes. What was asked for is
//! in the machine's tag `stratiform:disks`; what is there is read with one call for many machines.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, Volume, VolumeAttachmentState};
use strat_model::{Bytes, Departure, DiskSpec, ErrorKind, ResourceId, Result};

use crate::config::Settings;
use crate::error::{failed, refuse};
use crate::images::ImageDisks;
use crate::provider::{AwsProvider, filter};
use crate::storage::{class, encryption, volume};
use crate::tags::{self, DISK_OF, DISKS, Tags};

/// The device names of disks after the first. AWS recommends these for EBS volumes; attached
/// volumes get others.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>
const DEVICES: [&str; 11] = [
    "/dev/sdf", "/dev/sdg", "/dev/sdh", "/dev/sdi", "/dev/sdj", "/dev/sdk", "/dev/sdl", "/dev/sdm",
    "/dev/sdn", "/dev/sdo", "/dev/sdp",
];

/// The most disks that a machine is made with.
pub(crate) const DISKS_MAX: u32 = 1 + DEVICES.len() as u32;

/// The most instances that a filter takes.
const FILTER_MAX: usize = 200;

/// How a launch says which disks it makes. Those that its image brings and nobody asks for are as the image
/// has them, and encrypted if the site's are.
pub(super) fn mappings(
    disks: &[DiskSpec],
    image: &ImageDisks,
    settings: &Settings,
) -> Result<Vec<BlockDeviceMapping>> {
    if disks.len() > DISKS_MAX as usize {
        let message = format!("a machine has at most {DISKS_MAX} disks here");
        return Err(refuse(ErrorKind::Invalid, message));
    }
    let ebs = || {
        EbsBlockDevice::builder()
            .set_encrypted(settings.encrypt())
            .set_kms_key_id(settings.kms_key.clone())
    };
    let mapping = |device: &str, ebs: EbsBlockDevice| {
        let mapping = BlockDeviceMapping::builder().device_name(device);
        mapping.ebs(ebs).build()
    };
    let devices = std::iter::once(image.root.as_str()).chain(DEVICES);
    let asked = disks.iter().zip(devices.clone()).map(|(disk, device)| {
        let gib = class::gib(disk.size)?;
        let kind = class::volume_type(disk.class, gib, device == image.root);
        let ebs = ebs()
            .volume_size(gib)
            .set_iops(class::iops(&kind, gib))
            .volume_type(kind)
            .delete_on_termination(true);
        Ok(mapping(device, ebs.build()))
    });
    let mut made = asked.collect::<Result<Vec<_>>>()?;
    if !settings.encrypted {
        return Ok(made);
    }
    let taken: BTreeSet<&str> = devices.take(disks.len()).collect();
    let brought = image.all.iter();
    let brought = brought.filter(|disk| !taken.contains(disk.device.as_str()));
    made.extend(brought.map(|disk| {
        // The snapshot of the device to boot from is the image's, whatever a launch says.
        let boots = disk.device == image.root;
        let ebs = ebs()
            .set_volume_size(disk.gib)
            .set_snapshot_id(disk.snapshot.clone().filter(|_| !boots))
            .set_delete_on_termination(disk.ends);
        mapping(&disk.device, ebs.build())
    }));
    Ok(made)
}

/// What was asked for, as a tag's value.
pub(super) fn write(disks: &[DiskSpec]) -> String {
    let word = |disk: &DiskSpec| format!("{}:{}", disk.size.0, disk.class.as_str());
    disks.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// What was asked for, read back.
pub(super) fn asked(tags: &Tags) -> Vec<DiskSpec> {
    let words = tags.get(DISKS).map(String::as_str).unwrap_or_default();
    let disk = |word: &str| {
        let (size, class) = word.split_once(':')?;
        Some(DiskSpec {
            size: Bytes(size.parse().ok()?),
            class: class.parse().ok()?,
        })
    };
    words.split_whitespace().filter_map(disk).collect()
}

/// The disks that are there, with the sizes that were asked for where those are what is there.
pub(super) fn actual(asked: &[DiskSpec], seen: &[(String, DiskSpec)], root: &str) -> Vec<DiskSpec> {
    let mut seen: Vec<_> = seen.iter().collect();
    seen.sort_by_key(|(device, _)| (device != root, device.clone()));
    let exact = |(index, (_, disk)): (usize, &&(String, DiskSpec))| {
        let asked = asked.get(index);
        let same = asked.filter(|asked| asked.size.ceil_gib() == disk.size.ceil_gib());
        DiskSpec {
            size: same.map_or(disk.size, |asked| asked.size),
            class: disk.class,
        }
    };
    seen.iter().enumerate().map(exact).collect()
}

/// The volumes that are attached to a machine, but for those of topologies.
#[derive(Debug, Clone, Default)]
pub(super) struct OnMachine {
    /// Those that live and die with it, with their device names.
    pub(super) own: Vec<(String, DiskSpec)>,
    /// The ids of those that somebody else attached.
    pub(super) strange: Vec<String>,
    /// The ids of its own that are not encrypted as the site has it, and how they are.
    pub(super) unsealed: Vec<(String, Departure)>,
}

impl AwsProvider {
    /// What is on machines, by machine: their own disks, with their device names, and what somebody else
    /// attached.
    async fn disks_of(&self, machines: &[&str]) -> Result<BTreeMap<String, OnMachine>> {
        let mut disks: BTreeMap<String, OnMachine> = BTreeMap::new();
        for machines in machines.chunks(FILTER_MAX) {
            let mut pages = self
                .ec2()
                .describe_volumes()
                .filters(filter("attachment.instance-id", machines.iter().copied()))
                .into_paginator()
                .items()
                .send();
            while let Some(volume) = pages.next().await {
                let volume = volume.map_err(failed("ec2:DescribeVolumes"))?;
                if let Some((machine, device, disk)) = own_disk(&volume) {
                    let there = disks.entry(machine).or_default();
                    there.own.push((device, disk));
                    there.unsealed.extend(self.unsealed(&volume));
                } else if tags::mark(&tags::read(volume.tags())).is_none() {
                    for (machine, id) in strange(&volume, machines) {
                        disks.entry(machine).or_default().strange.push(id);
                    }
                }
            }
        }
        Ok(disks)
    }

    /// What is on the machines whose disks are looked at, and what of the rest's disks is not encrypted as it
    /// is to be: in one call where one names them all.
    pub(super) async fn disks_beside(
        &self,
        looked_at: &BTreeSet<&str>,
        rest: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, OnMachine>> {
        let both = !looked_at.is_empty() && !rest.is_empty() && self.settings.encrypted;
        if both && looked_at.len() + rest.len() <= FILTER_MAX {
            let all: Vec<&str> = looked_at.union(rest).copied().collect();
            let mut disks = self.disks_of(&all).await?;
            for (_, there) in disks
                .iter_mut()
                .filter(|(id, _)| rest.contains(id.as_str()))
            {
                there.own.clear();
            }
            return Ok(disks);
        }
        let with_disks: Vec<&str> = looked_at.iter().copied().collect();
        let mut disks = self.disks_of(&with_disks).await?;
        self.add_unsealed(rest, &mut disks).await?;
        Ok(disks)
    }

    /// How a machine's own disk is encrypted, where that is not as the site has it.
    fn unsealed(&self, volume: &Volume) -> Option<(String, Departure)> {
        let departure = encryption::departure(&self.settings, volume)?;
        Some((volume.volume_id()?.to_owned(), departure))
    }

    /// Adds those disks of machines, whose other disks nobody looks at, that are not encrypted as the site
    /// has it: nearly always none, with one call for any number of machines.
    async fn add_unsealed(
        &self,
        machines: &BTreeSet<&str>,
        disks: &mut BTreeMap<String, OnMachine>,
    ) -> Result<()> {
        if machines.is_empty() || !self.settings.encrypted {
            return Ok(());
        }
        let which = match machines.len() {
            ..=FILTER_MAX => filter("attachment.instance-id", machines.iter().copied()),
            _ => filter("tag-key", [DISK_OF]),
        };
        let plain = filter("encrypted", ["false"]);
        let plain = (!self.settings.minds_keys()).then_some(plain);
        let call = self.ec2().describe_volumes();
        let call = call.set_filters(Some(std::iter::once(which).chain(plain).collect()));
        let mut pages = call.into_paginator().items().send();
        while let Some(volume) = pages.next().await {
            let volume = volume.map_err(failed("ec2:DescribeVolumes"))?;
            let Some((machine, ..)) = own_disk(&volume) else {
                continue;
            };
            if machines.contains(machine.as_str()) {
                let there = disks.entry(machine).or_default();
                there.unsealed.extend(self.unsealed(&volume));
            }
        }
        Ok(())
    }
}

impl AwsProvider {
    /// Makes a machine's own disks as large as they are to be. None becomes smaller.
    pub(super) async fn grow_disks(
        &self,
        machine: &ResourceId,
        root: &str,
        wanted: &[DiskSpec],
    ) -> Result<()> {
        let call = self.ec2().describe_volumes();
        let call = call.filters(filter("attachment.instance-id", [machine.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeVolumes"))?;
        let own = answer.volumes().iter().filter_map(|volume| {
            let (_, device, disk) = own_disk(volume)?;
            Some((device, disk, volume.volume_id()?.to_owned()))
        });
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|(device, ..)| (device != root, device.clone()));
        if own.len() != wanted.len() {
            let (there, wanted) = (own.len(), wanted.len());
            let message =
                format!("{machine} has {there} disks of its own, and is to have {wanted}");
            return Err(refuse(ErrorKind::Precondition, message));
        }
        for ((_, is, id), wanted) in own.iter().zip(wanted) {
            if class::gib(wanted.size)? < class::gib(is.size)? || wanted.class != is.class {
                let message = format!("the disk {id} of {machine} can only grow");
                return Err(refuse(ErrorKind::Unsupported, message));
            }
        }
        for ((_, is, id), wanted) in own.iter().zip(wanted) {
            if class::gib(wanted.size)? > class::gib(is.size)? {
                self.modify_volume(&ResourceId::from(id), is, wanted, true)
                    .await?;
            }
        }
        Ok(())
    }
}

/// The machines where a volume is attached that goes with none of them.
fn strange(volume: &Volume, machines: &[&str]) -> Vec<(String, String)> {
    let held = volume.attachments().iter().filter(|attachment| {
        !matches!(
            attachment.state(),
            Some(VolumeAttachmentState::Detached | VolumeAttachmentState::Detaching)
        )
    });
    let id = volume.volume_id().unwrap_or_default();
    // What we attached and let go of since is there by our own hand.
    let theirs = held.filter(|attachment| {
        let device = attachment.device().unwrap_or_default();
        !volume::is_device_of(&ResourceId::from(id), device)
    });
    let there = theirs.filter_map(|attachment| attachment.instance_id());
    let there = there.filter(|machine| machines.contains(machine));
    there
        .map(|machine| (machine.to_owned(), id.to_owned()))
        .collect()
}

/// The machine, device and spec of a volume that goes with its machine.
fn own_disk(volume: &Volume) -> Option<(String, String, DiskSpec)> {
    let attachment = volume.attachments().first()?;
    let tagged = volume.tags().iter().any(|tag| tag.key() == Some(DISK_OF));
    if !tagged && attachment.delete_on_termination() != Some(true) {
        return None;
    }
    let disk = DiskSpec {
        size: Bytes::gib(u64::try_from(volume.size()?).ok()?),
        class: class::of(volume.volume_type()?),
    };
    let device = attachment.device().unwrap_or_default().to_owned();
    Some((attachment.instance_id()?.to_owned(), device, disk))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strat_model::DiskClass;

    use super::*;
    use crate::images::ImageDisk;

    fn disk(size: u64, class: DiskClass) -> DiskSpec {
        let size = Bytes(size);
        DiskSpec { size, class }
    }

    #[test]
    fn disks_survive_their_tag() {
        let disks = vec![
            disk(8 << 30, DiskClass::Ssd),
            disk(500_000_000, DiskClass::Hdd),
        ];
        let tags = Tags::from([(DISKS.to_owned(), write(&disks))]);
        assert_eq!(asked(&tags), disks);
    }

    #[test]
    fn the_root_disk_comes_first_and_odd_sizes_are_kept() {
        let wanted = vec![
            disk(8 << 30, DiskClass::Ssd),
            disk(500_000_000, DiskClass::Hdd),
        ];
        let seen = vec![
            ("/dev/sdf".to_owned(), disk(1 << 30, DiskClass::Hdd)),
            ("/dev/xvda".to_owned(), disk(8 << 30, DiskClass::Ssd)),
        ];
        assert_eq!(actual(&wanted, &seen, "/dev/xvda"), wanted);
    }

    #[test]
    fn a_launch_names_a_device_for_each_disk() {
        let disks = vec![
            disk(8 << 30, DiskClass::Hdd),
            disk(200 << 30, DiskClass::Hdd),
        ];
        let made = mappings(&disks, &image(), &Settings::of_test(&json!({}))).expect("mappings");
        let kinds: Vec<_> = made.iter().filter_map(|m| m.ebs()?.volume_type()).collect();
        assert_eq!(
            kinds.iter().map(|k| k.as_str()).collect::<Vec<_>>(),
            ["standard", "st1"]
        );
        let many = vec![disks[0].clone(); 13];
        assert!(mappings(&many, &image(), &Settings::of_test(&json!({}))).is_err());
    }

    /// Boots from `/dev/xvda`, and brings a disk with data.
    fn image() -> ImageDisks {
        let disk = |device: &str, snapshot: &str| ImageDisk {
            device: device.to_owned(),
            gib: Some(8),
            snapshot: Some(snapshot.to_owned()),
            ends: Some(true),
        };
        ImageDisks {
            root: "/dev/xvda".to_owned(),
            all: vec![disk("/dev/xvda", "snap-1"), disk("/dev/sdf", "snap-2")],
        }
    }

    #[test]
    fn what_an_image_brings_is_encrypted_and_else_as_it_has_it() {
        type Told<'t> = (
            &'t str,
            Option<i32>,
            Option<bool>,
            Option<&'t str>,
            Option<&'t str>,
        );
        let check = |disks: &[DiskSpec], of: serde_json::Value, expect: &[Told<'_>]| {
            let made = mappings(disks, &image(), &Settings::of_test(&of)).expect("mappings");
            let told = made.iter().map(|mapping| {
                let ebs = mapping.ebs().expect("a disk");
                let device = mapping.device_name().expect("a device");
                let (size, sealed) = (ebs.volume_size(), ebs.encrypted());
                (device, size, sealed, ebs.kms_key_id(), ebs.snapshot_id())
            });
            assert_eq!(told.collect::<Vec<_>>(), expect);
        };
        let brought = ("/dev/sdf", Some(8), Some(true), None, Some("snap-2"));
        let root = |size, key| ("/dev/xvda", Some(size), Some(true), key, None);
        check(&[], json!({}), &[root(8, None), brought]);
        let asked = [disk(20 << 30, DiskClass::Ssd)];
        check(&asked, json!({}), &[root(20, None), brought]);
        let two = [asked[0].clone(), asked[0].clone()];
        let second = ("/dev/sdf", Some(20), Some(true), None, None);
        check(&two, json!({}), &[root(20, None), second]);
        let key = json!({ "kms_key": "alias/shop" });
        let (all, with) = (root(8, Some("alias/shop")), Some("alias/shop"));
        check(
            &[],
            key,
            &[all, ("/dev/sdf", Some(8), Some(true), with, Some("snap-2"))],
        );
        let plain = json!({ "encrypted": false });
        check(&[], plain.clone(), &[]);
        check(&asked, plain, &[("/dev/xvda", Some(20), None, None, None)]);
    }
}
