//! Things as they are answered: with the fields that follow from other things.

use serde_json::{Value, json};

use super::{security, uses};
use crate::id::Id;
use crate::text::{guid, time};
use crate::world::{Thing, World, items, reference};

/// A thing with all its fields.
pub(crate) fn show(world: &World, thing: &Thing) -> Value {
    let mut shown = Value::Object(thing.fields.clone());
    shown["id"] = json!(thing.id.shown);
    shown["name"] = json!(thing.id.name());
    let Some(kind) = thing.id.kind() else {
        return shown;
    };
    shown["type"] = json!(kind.name());
    if kind.is_network() || kind.word() == "virtualMachines" {
        shown["etag"] = json!(thing.etag());
    }
    if kind.is_network() && kind.is_tracked {
        shown["properties"]["resourceGuid"] = json!(guid(&thing.id.key()));
    }
    let properties = &mut shown["properties"];
    match kind.word() {
        "virtualNetworks" => {
            properties["subnets"] = parts(world, thing, "subnets");
        }
        "subnets" => {
            let used = configurations(world, &thing.id);
            if items(&used).next().is_some() {
                properties["ipConfigurations"] = used;
            }
        }
        "networkSecurityGroups" => {
            properties["securityRules"] = parts(world, thing, "securityRules");
            properties["defaultSecurityRules"] = security::defaults(&thing.id);
            for (name, word) in [
                ("subnets", "subnets"),
                ("networkInterfaces", "networkInterfaces"),
            ] {
                let is_it = |user: &Id| user.kind().is_some_and(|kind| kind.word() == word);
                let users: Vec<String> = uses::users(world, &thing.id)
                    .filter(is_it)
                    .map(|id| id.shown)
                    .collect();
                if !users.is_empty() {
                    properties[name] = uses::shown(users.into_iter());
                }
            }
        }
        "publicIPAddresses" => {
            let used = configurations(world, &thing.id);
            if let Some(first) = items(&used).next() {
                properties["ipConfiguration"] = first.clone();
            }
        }
        "networkInterfaces" => {
            if let Some(machine) = uses::machine_of(world, &thing.id) {
                properties["virtualMachine"] = json!({ "id": machine.shown });
            }
        }
        "disks" => {
            let machine = uses::machine_of(world, &thing.id);
            properties["diskState"] = json!(disk_state(world, machine.as_ref()));
            properties["timeCreated"] = json!(time(thing.made));
            if let Some(machine) = machine {
                shown["managedBy"] = json!(machine.shown);
            }
        }
        "virtualMachines" => {
            properties["vmId"] = json!(guid(&format!("{} {}", thing.id.key(), thing.made)));
            properties["timeCreated"] = json!(time(thing.made));
            let storage = &mut properties["storageProfile"];
            fill_size(world, &mut storage["osDisk"]);
            for disk in storage["dataDisks"].as_array_mut().into_iter().flatten() {
                fill_size(world, disk);
            }
        }
        _ => {}
    }
    shown
}

/// A machine tells the sizes that its disks have, whoever grew them.
fn fill_size(world: &World, disk: &mut Value) {
    if let Some(is) = reference(&disk["managedDisk"]).and_then(|id| world.get(&id)) {
        disk["diskSizeGB"] = is.property("diskSizeGB").clone();
    }
}

/// <https://learn.microsoft.com/azure/virtual-machines/disks-find-unattached-portal>
fn disk_state(world: &World, machine: Option<&Id>) -> &'static str {
    let power = machine.and_then(|machine| world.get(machine));
    let power = power.and_then(|machine| machine.inner.get("power")?.as_str());
    match (machine, power) {
        (None, _) => "Unattached",
        (Some(_), Some("deallocated")) => "Reserved",
        (Some(_), _) => "Attached",
    }
}

fn parts(world: &World, thing: &Thing, word: &'static str) -> Value {
    world
        .parts(&thing.id, word)
        .map(|part| show(world, part))
        .collect()
}

/// The configurations of interfaces that refer to a subnet or an address.
fn configurations(world: &World, id: &Id) -> Value {
    let mut found = Vec::new();
    for interface in world.all("networkInterfaces") {
        for one in items(interface.property("ipConfigurations")) {
            let inner = &one["properties"];
            let refers = ["subnet", "publicIPAddress"]
                .iter()
                .any(|name| reference(&inner[*name]).is_some_and(|other| other == *id));
            if refers {
                found.push(json!({ "id": one["id"] }));
            }
        }
    }
    json!(found)
}
