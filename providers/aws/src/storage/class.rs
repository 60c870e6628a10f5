//! Disk classes as EBS volume types.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>

use aws_sdk_ec2::types::VolumeType;
use strat_model::{Bytes, ClassSizes, DiskClass, ErrorKind, Result};

use crate::error::refuse;

/// The smallest st1 volume, in GiB.
const ST1_MIN_GIB: i32 = 125;

/// The largest volume of any type, in GiB (64 TiB, of io2).
pub(crate) const MAX_GIB: u64 = 64 << 10;

/// The bounds of the types that classes become, where they are narrower: st1 has at most 16 TiB, a magnetic
/// volume, which a spinning disk to boot from is, 1 TiB, and io2 at least 4 GiB.
pub(crate) const SIZES: ClassSizes = ClassSizes {
    hdd_max: Bytes::gib(16 << 10),
    hdd_boot_max: Bytes::gib(1 << 10),
    nvme_min: Bytes::gib(4),
};

/// What a disk of this class and size is. A disk to boot from cannot be st1.
pub(crate) fn volume_type(class: DiskClass, gib: i32, boots: bool) -> VolumeType {
    match class {
        DiskClass::Hdd if boots || gib < ST1_MIN_GIB => VolumeType::Standard,
        DiskClass::Hdd => VolumeType::St1,
        DiskClass::Ssd => VolumeType::Gp3,
        DiskClass::Nvme => VolumeType::Io2,
    }
}

/// How many operations a second are paid for, for types that are sold that way: 10 a GiB, at
/// least 3,000 (what gp3 has for nothing) or what the size allows (1,000 a GiB), at most 64,000.
pub(crate) fn iops(kind: &VolumeType, gib: i32) -> Option<i32> {
    let wanted = gib.saturating_mul(10).clamp(3_000, 64_000);
    (*kind == VolumeType::Io2).then(|| wanted.min(gib.saturating_mul(1_000)))
}

/// The class of a volume that is there.
pub(crate) fn of(kind: &VolumeType) -> DiskClass {
    match kind {
        VolumeType::St1 | VolumeType::Sc1 | VolumeType::Standard => DiskClass::Hdd,
        VolumeType::Io1 | VolumeType::Io2 => DiskClass::Nvme,
        _ => DiskClass::Ssd,
    }
}

/// Whole and begun GiB, as EBS sells them.
pub(crate) fn gib(size: Bytes) -> Result<i32> {
    let gib = size.ceil_gib();
    if (1..=MAX_GIB).contains(&gib) {
        return Ok(i32::try_from(gib).unwrap_or(i32::MAX));
    }
    let message = format!("a disk on AWS has 1 GiB to 64 TiB, not {size}");
    Err(refuse(ErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_types_and_come_back() {
        let check = |class, gib, boots, expect| {
            let kind = volume_type(class, gib, boots);
            assert_eq!((kind.as_str(), of(&kind)), (expect, class));
        };
        check(DiskClass::Hdd, 124, false, "standard");
        check(DiskClass::Hdd, 125, false, "st1");
        check(DiskClass::Hdd, 500, true, "standard");
        check(DiskClass::Ssd, 8, true, "gp3");
        check(DiskClass::Nvme, 8, false, "io2");
    }

    #[test]
    fn operations_are_within_what_a_size_allows() {
        let check = |gib, expect| assert_eq!(iops(&VolumeType::Io2, gib), Some(expect), "{gib}");
        check(4, 3_000);
        check(2, 2_000);
        check(1_000, 10_000);
        check(16_384, 64_000);
        assert_eq!(iops(&VolumeType::Gp3, 100), None);
    }

    #[test]
    fn sizes_have_bounds() {
        assert_eq!(gib(Bytes(1)).expect("size"), 1);
        assert_eq!(gib(Bytes::gib(100)).expect("size"), 100);
        assert!(gib(Bytes(0)).is_err() && gib(Bytes::gib(70_000)).is_err());
    }
}
