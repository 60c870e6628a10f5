//! Persistent disks. <https://cloud.google.com/compute/docs/reference/rest/v1/disks>

use serde_json::{Value, json};

use super::{Begun, check_labels, machine, remove};
use crate::call::{Call, number, text};
use crate::kinds::{Key, Scope};
use crate::quota;
use crate::refusal::Refusal;
use crate::render::sources;
use crate::world::{Fields, World};

/// The largest disk, in GB. <https://cloud.google.com/compute/docs/disks/persistent-disks>
const SIZE_MAX: u64 = 65_536;

/// What a new disk is to be: completes its fields, and says how large it is.
pub(super) fn complete(
    world: &World,
    home: &Key,
    mut fields: Fields,
    at: &str,
) -> Result<Fields, Refusal> {
    check_labels(&json!(fields.get("labels")))?;
    let Scope::Zone(zone) = &home.scope else {
        return Err(Refusal::not_found(&home.path()));
    };
    let standard = format!("zones/{zone}/diskTypes/pd-standard");
    let field = format!("{at}.type");
    let disk_type = text(&fields, "type").unwrap_or(&standard);
    let disk_type = world.referred(&field, disk_type, &home.project, "diskTypes")?;
    if disk_type.scope != home.scope {
        let why = "The disk type is in another zone.";
        return Err(Refusal::invalid(&field, &disk_type.path(), why));
    }
    let image = match text(&fields, "sourceImage") {
        None => None,
        Some(url) => Some(machine::image(
            world,
            url,
            &home.project,
            &format!("{at}.sourceImage"),
        )?),
    };
    let least = match &image {
        Some(image) => world
            .thing(image)?
            .get("diskSizeGb")
            .and_then(number)
            .unwrap_or(10),
        None if disk_type.name == "pd-standard" || disk_type.name == "pd-ssd" => 10,
        None => 10,
    };
    let asked = fields.get("sizeGb").filter(|size| !size.is_null());
    let size = match asked {
        Some(size) => number(size).unwrap_or(0),
        None if image.is_some() => least,
        None => 500,
    };
    if size < least || size > SIZE_MAX {
        let why = format!("Disk size must be between {least} GB and {SIZE_MAX} GB.");
        return Err(Refusal::invalid(
            &format!("{at}.sizeGb"),
            &size.to_string(),
            &why,
        ));
    }
    if let Some(image) = image {
        let source = world.thing(&image)?;
        fields.insert("sourceImage".to_owned(), json!(image.link()));
        fields.insert("sourceImageId".to_owned(), source["id"].clone());
        for name in ["licenses", "guestOsFeatures", "architecture"] {
            if let Some(value) = source.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }
    fields.insert("type".to_owned(), json!(disk_type.link()));
    fields.insert("sizeGb".to_owned(), json!(size.to_string()));
    fields.insert("physicalBlockSizeBytes".to_owned(), json!("4096"));
    Ok(fields)
}

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let mut body = call.body.clone();
    if let Some(image) = call.query("sourceImage") {
        body.insert("sourceImage".to_owned(), json!(image));
    }
    let mut fields = complete(world, &key, body, "resource")?;
    let size = size(&fields);
    let failure = quota::room(world, &key, quota::disk_metric(&fields), size as f64).err();
    fields.insert("status".to_owned(), json!("CREATING"));
    world.put(&key, fields);
    Begun::made(key, failure, "READY")
}

/// The size of a disk, in GB.
pub(crate) fn size(fields: &Fields) -> u64 {
    fields.get("sizeGb").and_then(number).unwrap_or(0)
}

/// The instance that has a disk.
pub(super) fn user(world: &World, disk: &Key) -> Option<Key> {
    let link = disk.link();
    let uses = |fields| sources(fields).any(|source| source == link.as_str());
    world.first(&disk.project, "instances", uses)
}

pub(super) fn delete(world: &World, key: Key) -> Result<Begun, Refusal> {
    match user(world, &key) {
        Some(user) => Err(Refusal::in_use("disk", &key.path(), &user.path())),
        None => remove(key),
    }
}

pub(super) fn resize(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let wanted = call.body.get("sizeGb").and_then(number).unwrap_or(0);
    let old = size(fields);
    let bad = |why: &str| Err(Refusal::invalid("sizeGb", &wanted.to_string(), why));
    if wanted <= old {
        return bad(&format!(
            "New disk size '{wanted}' must be larger than existing size '{old}'."
        ));
    }
    if wanted > SIZE_MAX {
        return bad(&format!("Disk size must be at most {SIZE_MAX} GB."));
    }
    let more = (wanted - old) as f64;
    let failure = quota::room(world, &key, quota::disk_metric(fields), more).err();
    let made = key.clone();
    Begun::new(key, move |world| {
        if let Some(failure) = failure {
            return Err(failure);
        }
        if let Some(fields) = world.things.get_mut(&made) {
            fields.insert("sizeGb".to_owned(), Value::String(wanted.to_string()));
        }
        // A machine tells the size of each of its disks, too.
        let link = made.link();
        for (_, machine) in world
            .things
            .iter_mut()
            .filter(|(key, _)| key.collection == "instances")
        {
            let disks = machine.get_mut("disks").and_then(Value::as_array_mut);
            for disk in disks
                .into_iter()
                .flatten()
                .filter(|disk| disk["source"] == *link)
            {
                disk["diskSizeGb"] = Value::String(wanted.to_string());
            }
        }
        Ok(())
    })
}
