//! Data disks that are attached to a machine and taken off it, by themselves.
//! <https://learn.microsoft.com/rest/api/compute/virtual-machines/attach-detach-data-disks>

use serde_json::{Value, json};

use super::uses;
use crate::call::Call;
use crate::id::Id;
use crate::operations::{Effect, Lead};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::{Thing, World, items, reference};

pub(super) fn answer(
    world: &mut World,
    call: &Call<'_>,
    machine: &Thing,
) -> Result<Answer, Refusal> {
    let part = |name: &str| call.body.get(name).cloned().unwrap_or_default();
    let of = |one: &Value| Id::new(one["diskId"].as_str().unwrap_or_default());
    let storage = machine.property("storageProfile").clone();
    let mut disks: Vec<Value> = items(&storage["dataDisks"]).cloned().collect();
    for id in items(&part("dataDisksToDetach")).map(of) {
        let before = disks.len();
        disks.retain(|disk| reference(&disk["managedDisk"]).as_ref() != Some(&id));
        if disks.len() == before {
            let message = format!("Disk {id} is not attached to VM {}.", machine.id.name());
            return Err(Refusal::new(400, "InvalidParameter", message));
        }
    }
    for one in items(&part("dataDisksToAttach")) {
        let id = of(one);
        attachable(world, machine, &id)?;
        let lun = (0..64).find(|lun| disks.iter().all(|disk| disk["lun"] != json!(lun)));
        let text = |name: &str, or: &str| one[name].as_str().unwrap_or(or).to_owned();
        let disk = world.thing(&id)?;
        disks.push(json!({
            "lun": one["lun"].as_u64().or(lun),
            "name": id.name(),
            "createOption": "Attach",
            "caching": text("caching", "None"),
            "deleteOption": text("deleteOption", "Detach"),
            "diskSizeGB": disk.property("diskSizeGB"),
            "managedDisk": {
                "id": disk.id.shown,
                "storageAccountType": disk.fields["sku"]["name"],
            },
            "toBeDetached": false,
        }));
    }
    let (target, location) = (machine.id.clone(), machine.location().to_owned());
    if let Some(thing) = world.get_mut(&target) {
        let mut storage = storage;
        storage["dataDisks"] = json!(disks);
        thing.set("storageProfile", storage);
        thing.set("provisioningState", json!("Updating"));
    }
    let done = target.clone();
    let effect: Effect = Box::new(move |world| {
        if let Some(thing) = world.get_mut(&done) {
            thing.set("provisioningState", json!("Succeeded"));
        }
        Ok(())
    });
    let operation = world.begin(&call.id, &target, &location, false, effect);
    let headers = world.lead(&operation, Lead::Both);
    let status = if headers.is_empty() { 200 } else { 202 };
    Ok(Answer::json(status, &Value::Null).with_headers(headers))
}

/// Whether a disk can be attached to a machine: it is there, of nobody else, and of the same zone.
fn attachable(world: &World, machine: &Thing, id: &Id) -> Result<(), Refusal> {
    let disk = world.thing(id)?;
    if let Some(other) = uses::machine_of(world, id) {
        let message =
            format!("Disk '{id}' cannot be attached as the disk is already owned by VM '{other}'.");
        return Err(Refusal::new(409, "ConflictingUserInput", message));
    }
    let zones = |thing: &Thing| {
        thing
            .fields
            .get("zones")
            .cloned()
            .unwrap_or_else(|| json!([]))
    };
    if zones(disk) != zones(machine) {
        let message = format!("Disk {id} cannot be attached to the VM because of their zones.");
        return Err(Refusal::new(400, "BadRequest", message));
    }
    Ok(())
}
