//! The disks of machines: those that are made with one, attached, detached.

use serde_json::{Value, json};

use super::machine::{self, Shape, part};
use super::{Begun, disk};
use crate::call::{Call, number, text};
use crate::kinds::Key;
use crate::refusal::Refusal;
use crate::world::{Fields, World};

/// A disk of a machine: one that is there, or one that is made with it.
pub(super) struct PlannedDisk {
    pub(super) attached: Fields,
    pub(super) new: Option<(Option<String>, Fields)>,
}

pub(super) fn plan(
    world: &World,
    home: &Key,
    given: &Value,
    shape: &Shape,
    at: &str,
) -> Result<Vec<PlannedDisk>, Refusal> {
    let given = given.as_array().cloned().unwrap_or_default();
    let boots = given.iter().filter(|disk| disk["boot"] == true).count();
    if boots != 1 || given[0]["boot"] != true {
        let why = "Exactly one boot disk is required, as the first of them.";
        return Err(Refusal::invalid(&format!("{at}.disks"), "", why));
    }
    let mut planned = Vec::new();
    for (index, disk) in given.iter().enumerate() {
        let at = format!("{at}.disks[{index}]");
        planned.push(one_disk(world, home, disk, index, &at)?);
    }
    let boot = part(&planned[0].attached, "architecture").as_str();
    if boot.is_some_and(|boot| boot != shape.architecture) {
        let message = format!(
            "Requested boot disk architecture ({}) is not compatible with machine type \
             architecture ({}).",
            boot.unwrap_or_default(),
            shape.architecture
        );
        return Err(Refusal::new(400, "invalid", message));
    }
    Ok(planned)
}

fn one_disk(
    world: &World,
    home: &Key,
    given: &Value,
    index: usize,
    at: &str,
) -> Result<PlannedDisk, Refusal> {
    let params = given["initializeParams"].as_object();
    match (given["source"].as_str(), params) {
        (Some(url), None) => {
            let key = attachable(world, home, url, given, &format!("{at}.source"))?;
            let attached = attached(given, index, &key, world.thing(&key)?);
            Ok(PlannedDisk {
                attached,
                new: None,
            })
        }
        (None, Some(params)) => {
            let mut fields = Fields::new();
            let names = [
                ("diskType", "type"),
                ("diskSizeGb", "sizeGb"),
                ("sourceImage", "sourceImage"),
                ("labels", "labels"),
                ("description", "description"),
            ];
            for (name, own) in names {
                if let Some(value) = params.get(name) {
                    fields.insert(own.to_owned(), value.clone());
                }
            }
            if index == 0 && !fields.contains_key("sourceImage") {
                let why = "Boot disk must have a source image.";
                return Err(Refusal::invalid(&format!("{at}.initializeParams"), "", why));
            }
            let at = format!("{at}.initializeParams");
            let fields = disk::complete(world, home, fields, &at)?;
            let name = text(params, "diskName").map(str::to_owned);
            let nowhere = Key::new(&home.project, "disks", home.scope.clone(), "");
            Ok(PlannedDisk {
                attached: attached(given, index, &nowhere, &fields),
                new: Some((name, fields)),
            })
        }
        _ => {
            let why = "Exactly one of source and initializeParams must be given.";
            Err(Refusal::invalid(at, "", why))
        }
    }
}

/// A disk that may be attached: there, ready, in the zone, and free.
fn attachable(
    world: &World,
    home: &Key,
    url: &str,
    given: &Value,
    field: &str,
) -> Result<Key, Refusal> {
    let key = world.referred(field, url, &home.project, "disks")?;
    if key.scope != home.scope {
        let why = "The disk is in another zone than the instance.";
        return Err(Refusal::invalid(field, url, why));
    }
    let is_shared = given["mode"] == "READ_ONLY";
    match disk::user(world, &key) {
        Some(user) if !is_shared => Err(Refusal::in_use("disk", &key.path(), &user.path())),
        _ => Ok(key),
    }
}

/// A disk as it stands among those of a machine.
fn attached(given: &Value, index: usize, disk: &Key, fields: &Fields) -> Fields {
    let or = |name: &str, other: Value| match &given[name] {
        Value::Null => other,
        value => value.clone(),
    };
    let attached = json!({
        "kind": "compute#attachedDisk",
        "type": "PERSISTENT",
        "mode": or("mode", json!("READ_WRITE")),
        "source": disk.link(),
        "deviceName": or("deviceName", json!(format!("persistent-disk-{index}"))),
        "index": index,
        "boot": or("boot", json!(false)),
        "autoDelete": or("autoDelete", json!(false)),
        "interface": or("interface", json!("SCSI")),
        "diskSizeGb": part(fields, "sizeGb"),
    });
    let mut attached = attached.as_object().cloned().unwrap_or_default();
    for name in ["licenses", "guestOsFeatures", "architecture"] {
        if let Some(value) = fields.get(name) {
            attached.insert(name.to_owned(), value.clone());
        }
    }
    attached
}

/// The place of the disk of a device name.
fn device(fields: &Fields, name: &str) -> Result<usize, Refusal> {
    let mut disks = part(fields, "disks").as_array().into_iter().flatten();
    let found = disks.position(|disk| disk["deviceName"] == name);
    let why = format!("No attached disk found with device name '{name}'");
    found.ok_or_else(|| Refusal::invalid("deviceName", name, &why))
}

pub(super) fn attach(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let given = Value::Object(call.body.clone());
    let Some(url) = given["source"].as_str() else {
        let why = "Only a disk that is there can be attached.";
        return Err(Refusal::invalid("resource.source", "", why));
    };
    let disk = attachable(world, &key, url, &given, "resource.source")?;
    let fields = world.thing(&key)?;
    let disks = part(fields, "disks")
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of_machine = |disk: &Value| disk["index"].as_u64();
    let next = disks
        .iter()
        .filter_map(of_machine)
        .max()
        .map_or(0, |last| last + 1);
    let attached = attached(
        &given,
        usize::try_from(next).unwrap_or(0),
        &disk,
        world.thing(&disk)?,
    );
    let name = attached["deviceName"].as_str().unwrap_or_default();
    if device(fields, name).is_ok() {
        let why = "The device name is used by another disk of the instance.";
        return Err(Refusal::invalid("resource.deviceName", name, why));
    }
    let most = machine::shape_of(world, fields).and_then(|(key, _)| {
        world
            .things
            .get(&key)
            .and_then(|fields| number(part(fields, "maximumPersistentDisks")))
    });
    if most.is_some_and(|most| disks.len() as u64 >= most) {
        let message = "Exceeded limit 'maximum_persistent_disks' on the instance.";
        return Err(Refusal::new(400, "limitExceeded", message));
    }
    Begun::change(key, move |fields| {
        if let Some(disks) = fields["disks"].as_array_mut() {
            disks.push(Value::Object(attached));
        }
    })
}

pub(super) fn detach(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let name = call.query("deviceName").unwrap_or_default().to_owned();
    let index = device(fields, &name)?;
    if fields["disks"][index]["boot"] == true && fields["status"] != "TERMINATED" {
        let message = "The boot disk can only be detached while the instance is stopped.";
        return Err(Refusal::new(400, "invalid", message));
    }
    Begun::change(key, move |fields| {
        if let Some(disks) = fields["disks"].as_array_mut() {
            disks.retain(|disk| disk["deviceName"] != name.as_str());
        }
    })
}

pub(super) fn set_auto_delete(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let index = device(
        world.thing(&key)?,
        call.query("deviceName").unwrap_or_default(),
    )?;
    let is_on = call.query("autoDelete") == Some("true");
    Begun::change(key, move |fields| {
        fields["disks"][index]["autoDelete"] = json!(is_on);
    })
}
