//! The disks that come with a machine, and what it says of all of its disks.

use serde_json::{Value, json};

use super::Change;
use super::disk::{self, Made};
use crate::catalogue::Size;
use crate::id::Id;
use crate::text::guid;
use crate::world::{World, items, reference};

/// Takes those data disks out that are said to go.
pub(super) fn detach(change: &mut Change<'_>) {
    let Some(properties) = change.fields.get_mut("properties") else {
        return;
    };
    if let Some(disks) = properties["storageProfile"]["dataDisks"].as_array_mut() {
        disks.retain(|disk| disk["toBeDetached"] != true);
    }
}

/// Makes the disks that come with a machine, and fills in what it says of them.
pub(super) fn make_all(world: &mut World, change: &mut Change<'_>, size: &Size) {
    let (id, location) = (change.id.clone(), change.location());
    let zones = change.fields.get("zones").cloned().unwrap_or_default();
    let tags = change.fields.get("tags").cloned();
    let mut storage = change.properties()["storageProfile"].clone();
    let image = storage["imageReference"].clone();
    let text = |name: &str| image[name].as_str().unwrap_or_default().to_owned();
    let found = world.images.find(
        [&text("publisher"), &text("offer"), &text("sku")],
        &text("version"),
    );
    if let Some(found) = &found {
        storage["imageReference"]["exactVersion"] = json!(found.version);
    }
    let gb = found.map_or(30, |image| image.gb);
    let unique = |part: &str| guid(&format!("{id} {part}")).replace('-', "");
    if !storage["osDisk"].is_object() {
        storage["osDisk"] = json!({});
    }
    let mut os = storage["osDisk"].clone();
    if reference(&os["managedDisk"]).is_none() {
        let name = os["name"].as_str().map(str::to_owned);
        os["name"] =
            json!(name.unwrap_or_else(|| format!("{}_OsDisk_1_{}", id.name(), unique("os"))));
        let class = if size.has_premium {
            "Premium_LRS"
        } else {
            "Standard_LRS"
        };
        let data = json!({ "createOption": "FromImage", "imageReference": { "id": image_id(&id, &location, &text) } });
        make(
            world,
            &id,
            &location,
            &zones,
            tags.as_ref(),
            &mut os,
            (class, gb, data),
        );
        os["osType"] = json!("Linux");
    }
    fill(world, &mut os);
    storage["osDisk"] = os;
    let mut disks: Vec<Value> = items(&storage["dataDisks"]).cloned().collect();
    for one in &mut disks {
        if reference(&one["managedDisk"]).is_none() {
            let lun = one["lun"].clone();
            let name = one["name"].as_str().map(str::to_owned);
            one["name"] = json!(name.unwrap_or_else(|| format!(
                "{}_DataDisk_{lun}_{}",
                id.name(),
                unique(&lun.to_string())
            )));
            let data = json!({ "createOption": "Empty" });
            make(
                world,
                &id,
                &location,
                &zones,
                tags.as_ref(),
                one,
                ("Standard_LRS", 1, data),
            );
        }
        fill(world, one);
        one["toBeDetached"] = json!(false);
    }
    storage["dataDisks"] = json!(disks);
    change.set("storageProfile", storage);
}

fn image_id(id: &Id, location: &str, text: &impl Fn(&str) -> String) -> String {
    format!(
        "/Subscriptions/{}/Providers/Microsoft.Compute/Locations/{location}/Publishers/{}\
         /ArtifactTypes/VMImage/Offers/{}/Skus/{}/Versions/{}",
        id.subscription(),
        text("publisher"),
        text("offer"),
        text("sku"),
        text("version")
    )
}

/// Makes one disk that comes with a machine. `or`: its class and size where none is asked for, and
/// what it is made from.
fn make(
    world: &mut World,
    machine: &Id,
    location: &str,
    zones: &Value,
    tags: Option<&Value>,
    one: &mut Value,
    or: (&str, u64, Value),
) {
    let (class, gb, data) = or;
    let class = one["managedDisk"]["storageAccountType"]
        .as_str()
        .unwrap_or(class)
        .to_owned();
    let size = one["diskSizeGB"].as_u64().unwrap_or(gb).max(gb);
    let name = one["name"].as_str().unwrap_or_default();
    let id = machine
        .group_id()
        .child(&format!("providers/Microsoft.Compute/disks/{name}"));
    disk::make(
        world,
        &id,
        &Made {
            location,
            zones,
            class: &class,
            size,
            data,
            tags,
        },
    );
    one["managedDisk"] = json!({ "id": id.shown, "storageAccountType": class });
}

/// What a machine shows of a disk.
fn fill(world: &World, one: &mut Value) {
    let Some(found) = reference(&one["managedDisk"]).and_then(|id| world.get(&id)) else {
        return;
    };
    one["name"] = json!(found.id.name());
    one["diskSizeGB"] = found.property("diskSizeGB").clone();
    one["managedDisk"]["storageAccountType"] = found.fields["sku"]["name"].clone();
    for (name, value) in [("caching", "None"), ("deleteOption", "Detach")] {
        if one[name].is_null() {
            one[name] = json!(value);
        }
    }
}
