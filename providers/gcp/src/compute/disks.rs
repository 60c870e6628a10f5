//! Disks: their types, and those that live and die with a machine.

use google_cloud_compute_v1::model::{
    AttachedDisk, AttachedDiskInitializeParams, Instance, attached_disk,
};
use strat_model::{Bytes, DiskClass, DiskSpec, ErrorKind, Result};

use crate::error::refuse;
use crate::labels::Raw;
use crate::metadata::Entries;

/// The metadata entry with the disks that a machine was made with: `class:bytes`, separated by commas.
pub(crate) const DISKS: &str = "stratiform-disks";

/// Machine series that take no Persistent Disk, but only Hyperdisk.
///
/// <https://cloud.google.com/compute/docs/disks/hyperdisks#machine-type-support>
const HYPERDISK_ONLY: [&str; 12] = [
    "a4", "a4x", "c4", "c4a", "c4d", "h4d", "m4", "n4", "n4a", "n4d", "x4", "z3",
];

/// The smallest disk, in GiB: what is asked for of less gets as much.
///
/// <https://cloud.google.com/compute/docs/disks/persistent-disks#disk-types>
const SIZE_MIN: u64 = 10;

/// How many GiB a disk for so much has.
pub(crate) fn gib(size: Bytes) -> i64 {
    i64::try_from(size.ceil_gib().max(SIZE_MIN)).unwrap_or(i64::MAX)
}

/// The size that was asked for, where the disk has that for it; else the size that it has.
pub(crate) fn size_of(size_gb: Option<i64>, asked: Option<Bytes>) -> Bytes {
    let is = size_gb.unwrap_or_default();
    let fits = asked.filter(|asked| gib(*asked) == is);
    fits.unwrap_or_else(|| Bytes::gib(u64::try_from(is).unwrap_or_default()))
}

/// Google's type of a class of disk.
///
/// <https://cloud.google.com/compute/docs/disks/persistent-disks>
pub(crate) const fn disk_type(class: DiskClass) -> &'static str {
    match class {
        DiskClass::Hdd => "pd-standard",
        DiskClass::Ssd => "pd-balanced",
        DiskClass::Nvme => "pd-ssd",
    }
}

/// The class of Google's type of disk.
pub(crate) fn disk_class(disk_type: &str) -> DiskClass {
    match disk_type {
        "pd-standard" | "hyperdisk-throughput" => DiskClass::Hdd,
        "pd-balanced" | "hyperdisk-balanced" => DiskClass::Ssd,
        _ => DiskClass::Nvme,
    }
}

/// Google's type of a class of disk on a machine of this type.
fn type_on(class: DiskClass, machine_type: &str) -> Result<&'static str> {
    let series = machine_type.split('-').next().unwrap_or(machine_type);
    if !HYPERDISK_ONLY.contains(&series) {
        return Ok(disk_type(class));
    }
    match class {
        DiskClass::Ssd | DiskClass::Nvme => Ok("hyperdisk-balanced"),
        DiskClass::Hdd => {
            let message = format!("machines of the series {series} have no spinning disks");
            Err(refuse(ErrorKind::Invalid, message).with_help("ask for `ssd`"))
        }
    }
}

/// The device name of the disk of a machine's own at this place.
fn device(index: usize) -> String {
    format!("stratiform-own-{index}")
}

/// The disks of a new machine. `path` makes Google's path of a type of disk, or leaves its name.
pub(crate) fn of_new(
    disks: &[DiskSpec],
    (machine_type, image): (&str, &str),
    labels: &Raw,
    path: impl Fn(&str) -> String,
) -> Result<Vec<AttachedDisk>> {
    let own = |index: usize, params: AttachedDiskInitializeParams| {
        AttachedDisk::new()
            .set_boot(index == 0)
            .set_auto_delete(true)
            .set_device_name(device(index))
            .set_mode(attached_disk::Mode::ReadWrite)
            .set_type(attached_disk::Type::Persistent)
            .set_initialize_params(params.set_labels(labels.clone()))
    };
    if disks.is_empty() {
        return Ok(vec![own(
            0,
            AttachedDiskInitializeParams::new().set_source_image(image),
        )]);
    }
    let one = |(index, disk): (usize, &DiskSpec)| {
        let mut params = AttachedDiskInitializeParams::new()
            .set_disk_size_gb(gib(disk.size))
            .set_disk_type(path(type_on(disk.class, machine_type)?));
        if index == 0 {
            params = params.set_source_image(image);
        }
        Ok(own(index, params))
    };
    disks.iter().enumerate().map(one).collect()
}

/// The note of a machine's own disks.
pub(crate) fn note(disks: &[DiskSpec]) -> String {
    let one = |disk: &DiskSpec| format!("{}:{}", disk.class.as_str(), disk.size.0);
    disks.iter().map(one).collect::<Vec<_>>().join(",")
}

/// A machine's own disk at one place, as it is attached.
pub(crate) fn own_disk(instance: &Instance, index: usize) -> Option<&AttachedDisk> {
    let device = device(index);
    let mut disks = instance.disks.iter();
    disks.find(|disk| disk.device_name.as_deref() == Some(device.as_str()))
}

/// The disks of a machine's own that were asked for: of the class that each was made of, which no disk
/// changes, and of the size that it has. A disk that is not there any more is left out.
pub(crate) fn read(instance: &Instance, entries: &Entries) -> Vec<DiskSpec> {
    let noted = entries.get(DISKS).map(String::as_str).unwrap_or_default();
    let noted = noted.split(',').filter(|one| !one.is_empty()).enumerate();
    let disks = noted.filter_map(|(index, one)| {
        let (class, bytes) = one.split_once(':')?;
        let asked = Bytes(bytes.parse().ok()?);
        let is = own_disk(instance, index)?.disk_size_gb;
        Some(DiskSpec {
            class: class.parse().ok()?,
            size: size_of(is, Some(asked)),
        })
    });
    disks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_types_and_types_are_classes() {
        for class in [DiskClass::Hdd, DiskClass::Ssd, DiskClass::Nvme] {
            assert_eq!(disk_class(disk_type(class)), class);
        }
        assert_eq!(
            type_on(DiskClass::Ssd, "n4-standard-2").expect("a type"),
            "hyperdisk-balanced"
        );
        assert!(type_on(DiskClass::Hdd, "c4-standard-2").is_err());
    }

    #[test]
    fn own_disks_read_back_with_the_size_that_they_have() {
        let disks = [
            DiskSpec {
                size: Bytes::gib(20),
                class: DiskClass::Ssd,
            },
            DiskSpec {
                size: Bytes((12 << 30) - 1),
                class: DiskClass::Hdd,
            },
        ];
        let entries = Entries::from([(DISKS.to_owned(), note(&disks))]);
        let made = of_new(&disks, ("e2-small", "i"), &Raw::new(), str::to_owned).expect("disks");
        let attached = |grown: i64| {
            let sizes = [20 + grown, 12];
            let disks = made
                .iter()
                .zip(sizes)
                .map(|(disk, size)| disk.clone().set_disk_size_gb(size));
            Instance::new().set_disks(disks)
        };
        assert_eq!(read(&attached(0), &entries), disks);
        assert_eq!(read(&attached(5), &entries)[0].size, Bytes::gib(25));
        assert_eq!(read(&attached(0), &Entries::new()), []);
    }
}
