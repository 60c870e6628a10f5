//! Managed disks. <https://learn.microsoft.com/rest/api/compute/disks>

use serde_json::{Value, json};

use super::{Change, interface, nothing, uses};
use crate::id::Id;
use crate::operations::Effect;
use crate::quota;
use crate::refusal::Refusal;
use crate::text::guid;
use crate::world::{Fields, World, items};

/// The classes of disks. <https://learn.microsoft.com/azure/virtual-machines/disks-types>
pub(crate) const CLASSES: [&str; 7] = [
    "Standard_LRS",
    "StandardSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
];

/// A disk's size in GB.
pub(super) fn size(properties: &Value) -> u64 {
    properties["diskSizeGB"].as_u64().unwrap_or(0)
}

pub(super) fn put(world: &mut World, mut change: Change<'_>) -> Result<Effect, Refusal> {
    let (id, location) = (change.id.clone(), change.location());
    let sku = change
        .fields
        .entry("sku")
        .or_insert_with(|| json!({ "name": "Standard_LRS" }));
    let class = sku["name"].as_str().unwrap_or_default().to_owned();
    if !CLASSES.contains(&class.as_str()) {
        return Err(Refusal::parameter(
            "sku.name",
            &format!("'{class}' is no type of disk."),
        ));
    }
    sku["tier"] = json!(class.split('_').next().unwrap_or_default());
    if let Some(zones) = change.fields.get("zones") {
        interface::check_zones(zones, &location)?;
    }
    let option = change.properties()["creationData"]["createOption"].clone();
    match option.as_str() {
        Some("Empty") if size(change.properties()) == 0 => {
            let why = "Required parameter 'disk.diskSizeGB' is missing (null).";
            return Err(Refusal::parameter("disk.diskSizeGB", why));
        }
        Some("Empty" | "FromImage") => {}
        Some(other) => {
            return Err(Refusal::not_done(&format!(
                "createOption {other} of a disk"
            )));
        }
        None => {
            let why = "Required parameter 'disk.creationData' is missing (null).";
            return Err(Refusal::parameter("disk.creationData", why));
        }
    }
    if size(change.properties()) > 65_536 {
        return Err(Refusal::parameter(
            "disk.diskSizeGB",
            "The largest disk has 65536 GB.",
        ));
    }
    if let Some(old) = &change.old {
        check_change(world, &change, old, &class)?;
    } else {
        quota::room(world, id.subscription(), &location, quota_of(&class), 1)?;
        change.set("uniqueId", json!(guid(&format!("{id} {}", world.count()))));
    }
    let bytes = size(change.properties()) << 30;
    change.set("diskSizeBytes", json!(bytes));
    change.default("publicNetworkAccess", json!("Enabled"));
    change.default("networkAccessPolicy", json!("AllowAll"));
    change.default(
        "encryption",
        json!({ "type": "EncryptionAtRestWithPlatformKey" }),
    );
    if class.starts_with("Premium_") || class.starts_with("Standard") {
        change.set("diskIOPSReadWrite", json!(500));
        change.set("diskMBpsReadWrite", json!(60));
    }
    world.put(&id, change.fields);
    Ok(nothing())
}

/// What of a disk that is there can change.
fn check_change(
    world: &World,
    change: &Change<'_>,
    old: &crate::world::Thing,
    class: &str,
) -> Result<(), Refusal> {
    let (before, after) = (size(change.old_properties()), size(change.properties()));
    if after < before {
        // <https://learn.microsoft.com/azure/virtual-machines/linux/expand-disks>
        let message = format!(
            "Disk {} cannot be shrunk: its size is {before} GB and the new size is {after} GB.",
            change.id.name()
        );
        return Err(Refusal::new(400, "BadRequest", message));
    }
    if old.fields.get("zones") != change.fields.get("zones") {
        return Err(Refusal::fixed("zones"));
    }
    let made = |properties: &Value| {
        let data = &properties["creationData"];
        (data["createOption"].clone(), data["imageReference"].clone())
    };
    if made(change.old_properties()) != made(change.properties()) {
        return Err(Refusal::fixed("creationData"));
    }
    let Some(machine) = uses::machine_of(world, change.id) else {
        return Ok(());
    };
    let is_off = world
        .get(&machine)
        .is_some_and(|machine| machine.inner.get("power") == Some(&json!("deallocated")));
    let changes_class = old
        .fields
        .get("sku")
        .is_some_and(|sku| sku["name"] != class);
    let os = world
        .get(&machine)
        .map(|machine| machine.property("storageProfile")["osDisk"].clone());
    let is_os = os.is_some_and(|os| {
        crate::world::reference(&os["managedDisk"]).is_some_and(|disk| disk == *change.id)
    });
    // The refusal was seen as in <https://github.com/kubernetes/kubernetes/issues/96706>.
    // A data disk of less than 4 TB grows while it is in use.
    // <https://learn.microsoft.com/azure/virtual-machines/linux/expand-disks#expand-without-downtime>
    let needs_off = changes_class || (after > before && (is_os || after > 4_095));
    match needs_off && !is_off {
        false => Ok(()),
        true => Err(Refusal::not_allowed(format!(
            "Cannot resize disk {} while it is attached to running VM {machine}. Resizing a disk of \
             an Azure Virtual Machine requires the virtual machine to be deallocated. Please stop \
             your VM and retry the operation.",
            change.id.name()
        ))),
    }
}

impl Change<'_> {
    fn old_properties(&self) -> &Value {
        let old = self
            .old
            .as_ref()
            .and_then(|old| old.fields.get("properties"));
        old.unwrap_or(&Value::Null)
    }
}

/// The quota that counts disks of a class.
fn quota_of(class: &str) -> &'static str {
    match class {
        "Premium_LRS" => "PremiumDiskCount",
        "StandardSSD_LRS" => "StandardSSDDiskCount",
        "PremiumV2_LRS" => "PremiumV2DiskCount",
        "UltraSSD_LRS" => "UltraSSDDiskCount",
        _ => "StandardDiskCount",
    }
}

/// Makes a disk that comes with a machine.
pub(super) fn make(world: &mut World, id: &Id, from: &Made<'_>) {
    let mut fields = Fields::new();
    let Made {
        location,
        zones,
        class,
        size,
        data,
        tags,
    } = from;
    fields.insert("location".to_owned(), json!(location));
    if items(zones).next().is_some() {
        fields.insert("zones".to_owned(), (*zones).clone());
    }
    if let Some(tags) = tags {
        fields.insert("tags".to_owned(), (*tags).clone());
    }
    fields.insert(
        "sku".to_owned(),
        json!({ "name": class, "tier": class.split('_').next() }),
    );
    let bytes = size << 30;
    let unique = guid(&format!("{id} {}", world.count()));
    fields.insert(
        "properties".to_owned(),
        json!({
            "creationData": data, "diskSizeGB": size, "diskSizeBytes": bytes, "uniqueId": unique,
            "provisioningState": "Succeeded", "publicNetworkAccess": "Enabled",
            "networkAccessPolicy": "AllowAll",
            "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
        }),
    );
    world.put(id, fields);
}

/// What a disk that comes with a machine is made of.
pub(super) struct Made<'a> {
    pub(super) location: &'a str,
    pub(super) zones: &'a Value,
    pub(super) class: &'a str,
    pub(super) size: u64,
    pub(super) data: Value,
    pub(super) tags: Option<&'a Value>,
}
