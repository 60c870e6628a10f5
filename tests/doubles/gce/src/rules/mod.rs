//! What each method of Compute Engine does: our reading of Google's REST reference.
//! <https://cloud.google.com/compute/docs/reference/rest/v1>

mod address;
mod attachment;
mod bulk;
mod disk;
mod firewall;
mod instance;
mod interface;
mod machine;
mod network;
mod power;
mod subnetwork;

use serde_json::{Value, json};

use crate::call::Call;
use crate::kinds::{Key, of_collection};
use crate::list;
use crate::operations::{self, Effect};
use crate::refusal::{Failure, Refusal};
use crate::render::Render;
use crate::text::fingerprint;
use crate::world::{Fields, World, stamp_labels};

pub(crate) use disk::size as disk_size;
pub(crate) use machine::{Shape, is_spot, shape_of};

/// What a method that changes something is about to do.
pub(crate) struct Begun {
    target: Key,
    effect: Effect,
}

impl Begun {
    fn new(
        target: Key,
        effect: impl FnOnce(&mut World) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Self, Refusal> {
        let effect: Effect = Box::new(effect);
        Ok(Self { target, effect })
    }

    /// A thing that was put there: at the end it has a status, or goes again.
    fn made(target: Key, failure: Option<Failure>, status: &'static str) -> Result<Self, Refusal> {
        let key = target.clone();
        Self::new(target, move |world| {
            if let Some(failure) = failure {
                world.things.remove(&key);
                return Err(failure);
            }
            if let Some(fields) = world.things.get_mut(&key) {
                fields.insert("status".to_owned(), json!(status));
            }
            Ok(())
        })
    }

    /// A change of fields that shows when the operation is done.
    fn change(
        target: Key,
        change: impl FnOnce(&mut Fields) + Send + 'static,
    ) -> Result<Self, Refusal> {
        let key = target.clone();
        Self::new(target, move |world| {
            if let Some(fields) = world.things.get_mut(&key) {
                change(fields);
            }
            Ok(())
        })
    }
}

/// Answers a call that was found good.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let resource = call.resource;
    world.place_is_known(&call.project, &call.scope())?;
    if matches!(
        resource,
        "zoneOperations" | "regionOperations" | "globalOperations"
    ) {
        return operations::answer(world, call, call.verb);
    }
    let kind = of_collection(resource).ok_or_else(|| call.unknown())?;
    match call.verb {
        "get" => {
            let key = machine::resolved(world, &call.key(kind))?;
            world.tick(false, |operation| operation.concerns(&key));
            let found = world.thing(&key)?;
            return Ok(Render::of(world, &call.project, resource).show(&key, found));
        }
        "list" | "aggregatedList" => {
            let project = call.project.clone();
            world.tick(false, |operation| {
                let is_bulk = resource == "instances" && !operation.members.is_empty();
                operation.project == project && (is_bulk || operation.target.collection == resource)
            });
            return match call.verb {
                "list" => list::list(world, call, kind),
                _ => list::aggregated(world, call, kind),
            };
        }
        "getFromFamily" => return family(world, call),
        _ => {}
    }
    call.check_request_id()?;
    if let Some(operation) = world.known(call)? {
        return Ok(operation);
    }
    if resource == "instances" && call.verb == "bulkInsert" {
        return bulk::insert(world, call);
    }
    let begun = change(world, call)?;
    let name = world.begin(call, call.verb, &begun.target, begun.effect);
    Ok(world.operations[&name].show())
}

fn change(world: &mut World, call: &Call<'_>) -> Result<Begun, Refusal> {
    let kind = of_collection(call.resource).ok_or_else(|| call.unknown())?;
    if call.verb == "insert" {
        let key = call.new_key(kind)?;
        if world.things.contains_key(&key) {
            return Err(Refusal::exists(&key.path()));
        }
        return match call.resource {
            "networks" => network::insert(world, call, key),
            "subnetworks" => subnetwork::insert(world, call, key),
            "firewalls" => firewall::insert(world, call, key),
            "addresses" => address::insert(world, call, key),
            "disks" => disk::insert(world, call, key),
            "instances" => instance::insert(world, call, key),
            _ => Err(call.unknown()),
        };
    }
    let key = world.find(&call.key(kind))?;
    world.ready(&key)?;
    match (call.resource, call.verb) {
        ("networks", "delete") => network::delete(key),
        ("networks", "patch") => network::patch(world, call, key),
        ("subnetworks", "delete") => subnetwork::delete(world, key),
        ("subnetworks", "patch") => subnetwork::patch(world, call, key),
        ("subnetworks", "expandIpCidrRange") => subnetwork::expand(world, call, key),
        ("firewalls", "delete") => remove(key),
        ("firewalls", "patch" | "update") => firewall::change(world, call, key),
        ("addresses", "delete") => address::delete(world, key),
        ("disks", "delete") => disk::delete(world, key),
        ("disks", "resize") => disk::resize(world, call, key),
        (_, "setLabels") if kind.has_labels && call.resource != "images" => {
            set_labels(world, call, key)
        }
        ("projects", "setCommonInstanceMetadata") => {
            let name = "commonInstanceMetadata";
            let metadata = instance::metadata(call, &world.thing(&key)?[name])?;
            Begun::change(key, move |fields| fields[name] = metadata)
        }
        ("instances", _) => instance::change(world, call, key),
        _ => Err(call.unknown()),
    }
}

/// Removes a thing at the end of the operation.
fn remove(key: Key) -> Result<Begun, Refusal> {
    let gone = key.clone();
    Begun::new(key, move |world| {
        world.things.remove(&gone);
        Ok(())
    })
}

/// Labels as they are to be; the fingerprint must be the one of now.
/// <https://cloud.google.com/compute/docs/labeling-resources>
fn set_labels(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    let given = call.body.get("labelFingerprint");
    if given.is_none() || given != fields.get("labelFingerprint") {
        return Err(Refusal::condition(
            "Labels fingerprint either invalid or resource labels have changed",
        ));
    }
    let labels = call
        .body
        .get("labels")
        .cloned()
        .unwrap_or_else(|| json!({}));
    check_labels(&labels)?;
    Begun::change(key, move |fields| {
        put_labels(fields, labels);
    })
}

fn put_labels(fields: &mut Fields, labels: Value) {
    // A thing without labels has no such field.
    match labels.as_object().is_some_and(serde_json::Map::is_empty) {
        true => fields.remove("labels"),
        false => fields.insert("labels".to_owned(), labels),
    };
    stamp_labels(fields);
}

/// Labels' grammar. <https://cloud.google.com/compute/docs/labeling-resources#requirements>
fn check_labels(labels: &Value) -> Result<(), Refusal> {
    let labels = labels.as_object().into_iter().flatten();
    let all: Vec<(&str, &str)> = labels
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or("")))
        .collect();
    check_label_pairs(&all)
}

pub(crate) fn check_label_pairs(all: &[(&str, &str)]) -> Result<(), Refusal> {
    if all.len() > 64 {
        let why = "A resource can have at most 64 labels.";
        return Err(Refusal::invalid("resource.labels", "", why));
    }
    let fits = |text: &str| {
        let is_fit = |c: char| (c.is_alphanumeric() && !c.is_uppercase()) || "-_".contains(c);
        text.chars().count() <= 63 && text.chars().all(is_fit)
    };
    for (key, value) in all {
        let begins = key.chars().next().is_some_and(char::is_lowercase);
        if !fits(key) || !begins {
            let why = format!(
                "Label key '{key}' violates format constraints. The key can only contain lowercase \
                 letters, numeric characters, underscores and dashes. The key can be at most 63 \
                 characters long and must start with a lowercase letter."
            );
            return Err(Refusal::invalid("resource.labels", "", &why));
        }
        if !fits(value) {
            let why = format!(
                "Label value '{value}' violates format constraints. The value can only contain \
                 lowercase letters, numeric characters, underscores and dashes. The value can be \
                 at most 63 characters long."
            );
            return Err(Refusal::invalid("resource.labels", "", &why));
        }
    }
    Ok(())
}

/// Checks the fingerprint that a change of a part must carry, and gives the part its new one.
fn fingerprinted(given: &Fields, current: &Value, what: &str) -> Result<Value, Refusal> {
    let fits = given
        .get("fingerprint")
        .is_some_and(|given| *given == current["fingerprint"]);
    if !fits {
        let message = format!("Supplied fingerprint does not match current {what} fingerprint.");
        return Err(Refusal::condition(&message));
    }
    Ok(with_fingerprint(given))
}

/// A part with the fingerprint of its contents.
fn with_fingerprint(part: &Fields) -> Value {
    let mut part = part.clone();
    part.remove("fingerprint");
    let print = fingerprint(&json!(part));
    part.insert("fingerprint".to_owned(), json!(print));
    Value::Object(part)
}

/// The newest image of a family that is not deprecated.
fn family(world: &World, call: &Call<'_>) -> Result<Value, Refusal> {
    let family = call.path.get("family").map_or("", String::as_str);
    let found = machine::newest_of_family(world, &call.project, family);
    found.map(|(_, fields)| json!(fields)).ok_or_else(|| {
        let path = format!("projects/{}/global/images/family/{family}", call.project);
        Refusal::not_found(&path)
    })
}

/// Takes a thing away past every rule.
pub(crate) fn unmake(world: &mut World, key: &Key) {
    match key.collection {
        "instances" => instance::unmake(world, key, &[]),
        _ => {
            world.things.remove(key);
        }
    }
}

/// Copies a thing under another name.
pub(crate) fn copy(world: &mut World, key: &Key, name: &str) -> Option<Key> {
    let mut fields = world.things.get(key)?.clone();
    let mut made = key.clone();
    name.clone_into(&mut made.name);
    match key.collection {
        "instances" => instance::copy(world, &made, &mut fields),
        "addresses" => {
            let address = world.public_address();
            fields.insert("address".to_owned(), json!(address));
        }
        _ => {}
    }
    world.put(&made, fields);
    Some(made)
}
