//! Disks: their types, and those that live and die with a machine.

use serde_json::{Value, json};
use strat_model::{Bytes, DiskClass, DiskSpec, ErrorKind, Result};

use crate::error::refuse;
use crate::tags::{self, DISKS, Tags};
use crate::wire::{OwnDisk, Thing, Vm};

/// The smallest boot disk, in GiB: that of the images, which no disk made of one may be smaller than.
///
/// <https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic>
const BOOT_MIN: u64 = 30;

/// How many GiB a disk for so much has.
pub(crate) fn gib(size: Bytes) -> u64 {
    size.ceil_gib().max(1)
}

/// How many GiB the disk at one place of a machine has.
const fn own_gib(index: usize, gib: u64) -> u64 {
    if index == 0 && gib < BOOT_MIN {
        BOOT_MIN
    } else {
        gib
    }
}

/// The size that was asked for, where the disk has that for it; else the size that it has.
pub(crate) fn size_of(is: Option<u64>, asked: Option<Bytes>) -> Bytes {
    size_at(usize::MAX, is, asked)
}

fn size_at(index: usize, is: Option<u64>, asked: Option<Bytes>) -> Bytes {
    match (is, asked) {
        (Some(is), Some(asked)) if own_gib(index, gib(asked)) == is => asked,
        (Some(is), _) => Bytes::gib(is),
        // Of a machine that is off, Azure does not always say it.
        (None, asked) => asked.unwrap_or_default(),
    }
}

/// Azure's type of a class of disk.
///
/// <https://learn.microsoft.com/azure/virtual-machines/disks-types>
pub(crate) const fn disk_type(class: DiskClass) -> &'static str {
    match class {
        DiskClass::Hdd => "Standard_LRS",
        DiskClass::Ssd => "StandardSSD_LRS",
        DiskClass::Nvme => "Premium_LRS",
    }
}

/// The class of Azure's type of disk.
pub(crate) fn disk_class(disk_type: &str) -> DiskClass {
    match disk_type {
        "Standard_LRS" => DiskClass::Hdd,
        "StandardSSD_LRS" | "StandardSSD_ZRS" => DiskClass::Ssd,
        _ => DiskClass::Nvme,
    }
}

/// What the name of a machine's own disk ends with, but for the boot disk's, which Azure names.
pub(crate) fn own_name(machine: &str, index: usize) -> String {
    format!("{machine}_own{index}")
}

/// The disks of a new machine, as its storage profile has them.
pub(crate) fn of_new(disks: &[DiskSpec], machine: &str) -> Value {
    let mut boot = json!({ "createOption": "FromImage", "deleteOption": "Delete" });
    if let Some(first) = disks.first() {
        boot["diskSizeGB"] = json!(own_gib(0, gib(first.size)));
        boot["managedDisk"] = json!({ "storageAccountType": disk_type(first.class) });
    }
    let more = disks.iter().enumerate().skip(1).map(|(index, disk)| {
        json!({
            "lun": index - 1,
            "name": own_name(machine, index),
            "createOption": "Empty",
            "deleteOption": "Delete",
            "diskSizeGB": own_gib(index, gib(disk.size)),
            "managedDisk": { "storageAccountType": disk_type(disk.class) },
        })
    });
    json!({ "osDisk": boot, "dataDisks": more.collect::<Vec<_>>() })
}

/// The note of a machine's own disks.
pub(crate) fn note(disks: &[DiskSpec]) -> String {
    let one = |disk: &DiskSpec| format!("{}:{}", disk.class.as_str(), disk.size.0);
    disks.iter().map(one).collect::<Vec<_>>().join(",")
}

/// A machine's own disk at one place. What was attached later is let go with it, and not its own.
fn own_disk(vm: &Vm, index: usize) -> Option<&OwnDisk> {
    let storage = &vm.storage_profile;
    if index == 0 {
        return Some(&storage.os_disk);
    }
    let mut disks = storage.data_disks.iter();
    disks.find(|disk| {
        let own = disk.delete_option.as_deref() == Some("Delete");
        own && disk.lun as usize == index - 1
    })
}

/// The disks of a machine's own that were asked for: of the class that each was made of, which none of
/// them changes, and of the size that it has. A disk that is not there any more is left out.
pub(crate) fn read(vm: &Vm, tags: &Tags) -> Vec<DiskSpec> {
    let noted = tags::get(tags, DISKS).unwrap_or_default();
    let noted = noted.split(',').filter(|one| !one.is_empty()).enumerate();
    let disks = noted.filter_map(|(index, one)| {
        let (class, bytes) = one.split_once(':')?;
        let asked = Bytes(bytes.parse().ok()?);
        let is = own_disk(vm, index)?.disk_size_gb;
        Some(DiskSpec {
            class: class.parse().ok()?,
            size: size_at(index, is, Some(asked)),
        })
    });
    disks.collect()
}

/// Which disks of a machine's own grow, by their paths, and to how many GiB.
pub(crate) fn growth(vm: &Thing<Vm>, to: &[DiskSpec]) -> Result<Vec<(String, u64)>> {
    let is = read(&vm.properties, &vm.tags);
    if !strat_model::only_grow(&is, to) {
        let message =
            "a machine's own disks only grow: none is added, taken away or made of another class";
        return Err(refuse(ErrorKind::Unsupported, message));
    }
    let pairs = is.iter().zip(to).enumerate();
    let grown = pairs.filter_map(|(index, (is, to))| {
        let (was, becomes) = (own_gib(index, gib(is.size)), own_gib(index, gib(to.size)));
        let disk = own_disk(&vm.properties, index)?;
        let path = disk.managed_disk.as_ref()?.id.clone();
        (was < becomes).then_some((path, becomes))
    });
    Ok(grown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_types_and_types_are_classes() {
        for class in [DiskClass::Hdd, DiskClass::Ssd, DiskClass::Nvme] {
            assert_eq!(disk_class(disk_type(class)), class);
        }
    }

    #[test]
    fn own_disks_read_back_as_asked_for_or_as_they_are() {
        let disk = |size, class| DiskSpec { size, class };
        let disks = [
            disk(Bytes::gib(10), DiskClass::Ssd),
            disk(Bytes((12 << 30) - 1), DiskClass::Hdd),
        ];
        let made = of_new(&disks, "web");
        assert_eq!(made["osDisk"]["diskSizeGB"], 30);
        let mut tags = Tags::new();
        tags::set(&mut tags, DISKS, &note(&disks));
        let vm = |more: u64| -> Thing<Vm> {
            let mut storage = made.clone();
            storage["osDisk"]["diskSizeGB"] = json!(30 + more);
            for (disk, id) in [("/osDisk", "os"), ("/dataDisks/0", "own1")] {
                let disk = storage.pointer_mut(disk).expect("a disk");
                disk["managedDisk"]["id"] = json!(id);
            }
            let vm = json!({ "tags": tags, "properties": { "storageProfile": storage } });
            serde_json::from_value(vm).expect("a machine")
        };
        assert_eq!(read(&vm(0).properties, &tags), disks);
        assert_eq!(read(&vm(5).properties, &tags)[0].size, Bytes::gib(35));
        let larger = [disk(Bytes::gib(40), DiskClass::Ssd), disks[1].clone()];
        assert_eq!(
            growth(&vm(0), &larger).expect("it grows"),
            [("os".to_owned(), 40)]
        );
        let still_small = [disk(Bytes::gib(12), DiskClass::Ssd), disks[1].clone()];
        assert_eq!(growth(&vm(0), &still_small).expect("it has that"), []);
        assert!(growth(&vm(0), &disks[..1]).is_err());
    }
}
