//! What machines are made of: machine types, custom ones too, and images.

use serde_json::{Value, json};

use crate::call::text;
use crate::catalogue::machine_type;
use crate::kinds::Key;
use crate::refusal::Refusal;
use crate::world::{Fields, World};

/// A machine type's size.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) cpus: u64,
    pub(crate) architecture: String,
}

/// The thing that a call's path names. A custom machine type is there once it is asked for.
/// <https://cloud.google.com/compute/docs/instances/creating-instance-with-custom-machine-type>
pub(super) fn resolved(world: &mut World, key: &Key) -> Result<Key, Refusal> {
    if key.collection == "machineTypes"
        && !world.things.contains_key(key)
        && let Some(fields) = custom(&key.name)
    {
        world.put(key, fields);
    }
    world.find(key)
}

/// The rules of a family's custom types.
/// <https://cloud.google.com/compute/docs/general-purpose-machines>
struct Custom {
    /// The least and the most of memory for each CPU, in MB.
    each: (u64, u64),
    /// The most memory of all, where it may be extended (`-ext`).
    extended: Option<u64>,
    is_count: fn(u64) -> bool,
}

fn custom_rules(family: &str) -> Option<Custom> {
    let (each, extended, is_count): (_, _, fn(u64) -> bool) = match family {
        "n1" => ((922, 6_656), Some(624), |cpus| {
            cpus == 1 || cpus % 2 == 0 && cpus <= 96
        }),
        "n2" => ((512, 8_192), Some(624), |cpus| match cpus {
            ..=32 => cpus % 2 == 0,
            _ => cpus % 4 == 0 && cpus <= 128,
        }),
        "n2d" => ((512, 8_192), Some(768), |cpus| {
            [2, 4, 8, 16, 32, 48, 64, 80, 96].contains(&cpus)
        }),
        "e2" => ((512, 8_192), None, |cpus| cpus % 2 == 0 && cpus <= 32),
        _ => return None,
    };
    Some(Custom {
        each,
        extended: extended.map(|gib| gib << 10),
        is_count,
    })
}

/// The most memory of an E2 machine, in MB.
const E2_MOST: u64 = 128 << 10;

/// A custom type, from its name: `n2-custom-4-8192`, or `custom-4-8192` for N1.
fn custom(name: &str) -> Option<Fields> {
    let (family, rest) = match name.strip_prefix("custom-") {
        Some(rest) => ("n1", rest),
        None => name.split_once("-custom-")?,
    };
    let (rest, is_extended) = match rest.strip_suffix("-ext") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (cpus, memory) = rest.split_once('-')?;
    let (cpus, memory): (u64, u64) = (cpus.parse().ok()?, memory.parse().ok()?);
    let rules = custom_rules(family)?;
    let most = match (is_extended, family) {
        (true, _) => rules.extended?,
        (false, "e2") => E2_MOST.min(cpus * rules.each.1),
        (false, _) => cpus * rules.each.1,
    };
    let each = (cpus * rules.each.0)..=most;
    let fits = cpus > 0 && (rules.is_count)(cpus) && memory % 256 == 0 && each.contains(&memory);
    fits.then(|| machine_type(cpus, memory, "X86_64", false))
}

/// The machine type that a field names: only a URL will do.
pub(super) fn by_url(
    world: &mut World,
    home: &Key,
    url: &str,
    field: &str,
) -> Result<(Key, Shape), Refusal> {
    let malformed = || Refusal::invalid(field, url, "The URL is malformed.");
    let key = Key::parse(url, &home.project).filter(|key| key.collection == "machineTypes");
    let key = key.ok_or_else(malformed)?;
    if key.scope != home.scope {
        let why = "The machine type is in another zone.";
        return Err(Refusal::invalid(field, url, why));
    }
    let found = resolved(world, &key).map_err(|_| {
        let message = format!(
            "Invalid value for field '{field}': '{url}'. Machine type with name '{}' does not \
             exist in zone '{}'.",
            key.name,
            key.scope
                .prefix()
                .trim_end_matches('/')
                .trim_start_matches("zones/"),
        );
        Refusal::new(400, "invalid", message)
    })?;
    let shape = shape(world.thing(&found)?);
    Ok((found, shape))
}

fn shape(fields: &Fields) -> Shape {
    Shape {
        cpus: fields["guestCpus"].as_u64().unwrap_or(0),
        architecture: text(fields, "architecture").unwrap_or("X86_64").to_owned(),
    }
}

/// The size of the type that an instance has.
pub(crate) fn shape_of(world: &World, instance: &Fields) -> Option<(Key, Shape)> {
    let key = Key::parse(text(instance, "machineType")?, "")?;
    let shape = shape(world.things.get(&key)?);
    Some((key, shape))
}

/// The newest image of a family that is not deprecated.
pub(super) fn newest_of_family<'a>(
    world: &'a World,
    project: &'a str,
    family: &str,
) -> Option<(&'a Key, &'a Fields)> {
    let all = world.all(project, "images");
    let fitting = all.filter(|(_, fields)| {
        text(fields, "family") == Some(family) && !fields.contains_key("deprecated")
    });
    // What was made later has the greater id.
    fitting.max_by_key(|(_, fields)| fields["id"].as_str())
}

/// The image that a field names, or the newest of the family that it names.
pub(super) fn image(world: &World, url: &str, home: &str, field: &str) -> Result<Key, Refusal> {
    let malformed = || Refusal::invalid(field, url, "The URL is malformed.");
    let key = Key::parse(url, home).filter(|key| key.collection == "images");
    let key = key.ok_or_else(malformed)?;
    let missing = || Refusal::not_found(&key.path());
    match key.name.strip_prefix("family/") {
        Some(family) => {
            let found = newest_of_family(world, &key.project, family);
            found.map(|(key, _)| key.clone()).ok_or_else(missing)
        }
        None => world.find(&key),
    }
}

/// The value of a part of a thing that may not be there.
pub(super) fn part<'a>(fields: &'a Fields, name: &str) -> &'a Value {
    static NULL: Value = Value::Null;
    fields.get(name).unwrap_or(&NULL)
}

/// How a machine is to be scheduled.
/// <https://cloud.google.com/compute/docs/instances/create-use-spot>
pub(super) fn scheduling(given: &Value) -> Result<Value, Refusal> {
    let is_spot = given["provisioningModel"] == "SPOT" || given["preemptible"] == true;
    if is_spot && given["automaticRestart"] == true {
        let message = "Scheduling must have automaticRestart be false when preemptible is true.";
        return Err(Refusal::new(400, "invalid", message));
    }
    if is_spot && given["onHostMaintenance"] == "MIGRATE" {
        let message =
            "Scheduling must have preemptible be false when onHostMaintenance isn't TERMINATE.";
        return Err(Refusal::new(400, "invalid", message));
    }
    if !is_spot && !given["instanceTerminationAction"].is_null() {
        let message = "You cannot specify a termination action for a VM instance that has the \
                       standard provisioning model (default).";
        return Err(Refusal::new(400, "invalid", message));
    }
    let mut fields = json!({
        "automaticRestart": !is_spot,
        "onHostMaintenance": if is_spot { "TERMINATE" } else { "MIGRATE" },
        "preemptible": is_spot,
        "provisioningModel": if is_spot { "SPOT" } else { "STANDARD" },
    });
    if is_spot {
        fields["instanceTerminationAction"] = json!("STOP");
    }
    for (name, value) in given.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    fields["preemptible"] = json!(is_spot);
    Ok(fields)
}

/// Whether an instance is spot capacity.
pub(crate) fn is_spot(instance: &Fields) -> bool {
    part(instance, "scheduling")["preemptible"] == true
}
