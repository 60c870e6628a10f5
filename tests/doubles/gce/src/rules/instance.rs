//! Machines: made, changed and deleted.
//! <https://cloud.google.com/compute/docs/reference/rest/v1/instances>

use serde_json::{Map, Value, json};

use super::machine::{self, Shape, part};
use super::{
    Begun, attachment, check_labels, disk, fingerprinted, interface, power, with_fingerprint,
};
use crate::call::{Call, text};
use crate::kinds::{Key, Scope};
use crate::quota;
use crate::refusal::{Failure, Refusal};
use crate::text::{fingerprint, time};
use crate::world::{Fields, World, stamp_labels};

/// The most disks of a machine, the one that it boots from among them.
const DISKS_MAX: usize = 128;

/// A machine that may be made: checked, but with no name and no addresses.
pub(super) struct Plan {
    pub(super) machine_type: Key,
    pub(super) shape: Shape,
    fields: Fields,
    disks: Vec<attachment::PlannedDisk>,
    pub(super) interfaces: Vec<Value>,
}

/// Checks what a machine is to be. `home` says in which project and zone, `at` under which field.
pub(super) fn plan(
    world: &mut World,
    home: &Key,
    body: &Fields,
    at: &str,
) -> Result<Plan, Refusal> {
    let field = format!("{at}.machineType");
    let url = text(body, "machineType").unwrap_or_default();
    let (machine_type, shape) = machine::by_url(world, home, url, &field)?;
    check_labels(part(body, "labels"))?;
    let interfaces = interface::plan(world, home, part(body, "networkInterfaces"), at)?;
    let disks = attachment::plan(world, home, part(body, "disks"), &shape, at)?;
    let accounts = part(body, "serviceAccounts").as_array().map_or(0, Vec::len);
    if accounts > 1 {
        let why = "At most one service account is supported.";
        return Err(Refusal::invalid(&format!("{at}.serviceAccounts"), "", why));
    }
    // https://cloud.google.com/compute/docs/disks/persistent-disks#maximum
    if part(body, "disks")
        .as_array()
        .is_some_and(|disks| disks.len() > DISKS_MAX)
    {
        let why = format!("The maximum number of disks is {DISKS_MAX}.");
        return Err(Refusal::invalid(&format!("{at}.disks"), "", &why));
    }
    let mut fields = body.clone();
    let empty = Map::new();
    let map = |name: &str| part(body, name).as_object().unwrap_or(&empty);
    check_metadata(map("metadata"), &format!("{at}.metadata"))?;
    let mut metadata = with_fingerprint(map("metadata"));
    metadata["kind"] = json!("compute#metadata");
    let scheduling = machine::scheduling(part(body, "scheduling"))?;
    for (name, value) in [
        ("metadata", metadata),
        ("tags", with_fingerprint(map("tags"))),
        ("scheduling", scheduling),
        ("machineType", json!(machine_type.link())),
        ("cpuPlatform", json!("Intel Broadwell")),
        ("startRestricted", json!(false)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    for (name, value) in [("canIpForward", false), ("deletionProtection", false)] {
        crate::call::default(&mut fields, name, json!(value));
    }
    if let Some(labels) = fields.get("labels").cloned() {
        super::put_labels(&mut fields, labels);
    }
    Ok(Plan {
        machine_type,
        shape,
        fields,
        disks,
        interfaces,
    })
}

/// Metadata as they are to be; the fingerprint must be the one of now.
pub(super) fn metadata(call: &Call<'_>, current: &Value) -> Result<Value, Refusal> {
    check_metadata(&call.body, "metadata")?;
    let mut metadata = fingerprinted(&call.body, current, "metadata")?;
    metadata["kind"] = json!("compute#metadata");
    Ok(metadata)
}

/// The keys and the sizes of metadata. <https://cloud.google.com/compute/docs/metadata/setting-custom-metadata>
fn check_metadata(metadata: &Fields, at: &str) -> Result<(), Refusal> {
    const VALUE_MAX: usize = 256 * 1024;
    const ALL_MAX: usize = 512 * 1024;
    let mut keys = std::collections::BTreeSet::new();
    let mut all = 0;
    for item in part(metadata, "items").as_array().into_iter().flatten() {
        let (key, value) = (
            item["key"].as_str().unwrap_or(""),
            item["value"].as_str().unwrap_or(""),
        );
        all += key.len() + value.len();
        if !keys.insert(key) {
            let message = format!("Metadata has duplicate key: {key}");
            return Err(Refusal::new(400, "invalid", message));
        }
        if value.len() > VALUE_MAX {
            let why = "Value is too large: maximum size 262144 character(s).";
            return Err(Refusal::invalid(&format!("{at}.items[].value"), "", why));
        }
    }
    match all > ALL_MAX {
        true => Err(Refusal::invalid(at, "", "Metadata size exceeds 512 KB.")),
        false => Ok(()),
    }
}

/// Puts a machine there, with its new disks, as one that is being made. Gives the new disks.
pub(super) fn make(world: &mut World, key: &Key, plan: &Plan) -> Result<Vec<Key>, Failure> {
    let named = |(index, planned): (usize, &attachment::PlannedDisk)| {
        let (name, _) = planned.new.as_ref()?;
        let name = match (name, index) {
            (Some(name), _) => name.clone(),
            (None, 0) => key.name.clone(),
            (None, index) => format!("{}-{index}", key.name),
        };
        Some(Key::new(&key.project, "disks", key.scope.clone(), &name))
    };
    let names: Vec<Option<Key>> = plan.disks.iter().enumerate().map(named).collect();
    // Nothing is taken before it is known that all of it is to be had.
    let mut new = names.iter().flatten();
    if let Some(taken) = new.find(|name| world.things.contains_key(name)) {
        return Err(Failure::of(&Refusal::exists(&taken.path())));
    }
    let interfaces = interface::number(world, &plan.interfaces)?;
    let mut disks = Vec::new();
    for (planned, name) in plan.disks.iter().zip(&names) {
        let mut attached = planned.attached.clone();
        if let (Some((_, fields)), Some(name)) = (&planned.new, name) {
            let mut fields = fields.clone();
            fields.insert("status".to_owned(), json!("READY"));
            world.put(name, fields);
            attached.insert("source".to_owned(), json!(name.link()));
        }
        disks.push(attached);
    }
    let mut fields = plan.fields.clone();
    let print = fingerprint(&json!(fields));
    for (name, value) in [
        ("networkInterfaces", json!(interfaces)),
        ("disks", json!(disks)),
        ("status", json!("PROVISIONING")),
        ("fingerprint", json!(print)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    world.put(key, fields);
    Ok(names.into_iter().flatten().collect())
}

/// Takes a machine away, with the disks that go with it, and those that were made for it where it
/// could not be made after all.
pub(super) fn unmake(world: &mut World, key: &Key, new: &[Key]) {
    let Some(fields) = world.things.remove(key) else {
        return;
    };
    interface::release(world, &fields);
    for disk in part(&fields, "disks").as_array().into_iter().flatten() {
        let source = disk["source"]
            .as_str()
            .and_then(|link| Key::parse(link, ""));
        if let Some(source) = source
            && (disk["autoDelete"] == true || new.contains(&source))
        {
            world.things.remove(&source);
        }
    }
}

/// Why there is no room for one more machine of a plan; where there is, it is taken.
pub(super) fn take_room(world: &mut World, home: &Key, plan: &Plan) -> Result<(), Failure> {
    let is_spot = machine::is_spot(&plan.fields);
    let has_public = plan
        .interfaces
        .iter()
        .any(|one| one["accessConfigs"][0].is_object());
    let disks = plan.disks.iter().filter_map(|disk| disk.new.as_ref());
    let disks: Vec<&Fields> = disks.map(|(_, fields)| fields).collect();
    quota::machine_room(world, home, &plan.machine_type.name, &plan.shape, is_spot)?;
    quota::room(world, home, "INSTANCES", 1.0)?;
    if has_public {
        quota::room(world, home, "IN_USE_ADDRESSES", 1.0)?;
    }
    for fields in disks {
        quota::room(
            world,
            home,
            quota::disk_metric(fields),
            disk::size(fields) as f64,
        )?;
    }
    power::take_stock(world, home, &plan.machine_type.name)
}

/// Marks a machine that was made as running.
pub(super) fn run(world: &mut World, key: &Key) {
    let now = time(world.now);
    if let Some(fields) = world.things.get_mut(key) {
        fields.insert("status".to_owned(), json!("RUNNING"));
        fields.insert("lastStartTimestamp".to_owned(), json!(now));
        stamp_labels(fields);
    }
}

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    for name in ["sourceInstanceTemplate", "sourceMachineImage"] {
        if call.query(name).is_some() {
            return Err(call.unknown());
        }
    }
    let plan = plan(world, &key, &call.body, "resource")?;
    let room = take_room(world, &key, &plan);
    // A machine that cannot be run is there for a moment, and goes again.
    let (new, failure) = match make(world, &key, &plan) {
        Ok(new) => (new, room.err()),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    let made = key.clone();
    Begun::new(key, move |world| match failure {
        Some(failure) => {
            unmake(world, &made, &new);
            Err(failure)
        }
        None => {
            run(world, &made);
            Ok(())
        }
    })
}

/// Every other change of a machine.
pub(super) fn change(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let body = call.body.clone();
    match call.verb {
        "delete" => delete(world, key),
        "start" => power::start(world, key),
        "stop" => power::stop(world, key),
        "reset" => power::reset(world, key),
        "setMachineType" => power::set_machine_type(world, call, key),
        "setScheduling" => power::set_scheduling(world, call, key),
        "updateNetworkInterface" => interface::update(world, call, key),
        "addAccessConfig" => interface::add_public(world, call, key),
        "deleteAccessConfig" => interface::drop_public(world, call, key),
        "attachDisk" => attachment::attach(world, call, key),
        "detachDisk" => attachment::detach(world, call, key),
        "setDiskAutoDelete" => attachment::set_auto_delete(world, call, key),
        "setTags" => {
            let tags = fingerprinted(&body, part(world.thing(&key)?, "tags"), "tags")?;
            Begun::change(key, |fields| fields["tags"] = tags)
        }
        "setMetadata" => {
            let metadata = metadata(call, part(world.thing(&key)?, "metadata"))?;
            Begun::change(key, |fields| fields["metadata"] = metadata)
        }
        "setDeletionProtection" => {
            let is_on = call.query("deletionProtection") != Some("false");
            Begun::change(key, move |fields| {
                fields["deletionProtection"] = json!(is_on);
            })
        }
        _ => Err(call.unknown()),
    }
}

fn delete(world: &mut World, key: Key) -> Result<Begun, Refusal> {
    let fields = world.thing(&key)?;
    if part(fields, "deletionProtection") == true {
        let message = "Invalid resource usage: 'Resource cannot be deleted if it's protected \
                       against deletion.'.";
        return Err(Refusal::new(400, "invalidResourceUsage", message));
    }
    power::set_status(world, &key, "STOPPING");
    let gone = key.clone();
    Begun::new(key, move |world| {
        unmake(world, &gone, &[]);
        Ok(())
    })
}

/// The zone of a machine's key.
pub(super) fn zone(key: &Key) -> &str {
    match &key.scope {
        Scope::Zone(zone) => zone,
        Scope::Region(_) | Scope::Global | Scope::Project => "",
    }
}

/// Gives the copy of a machine addresses and disks of its own.
pub(super) fn copy(world: &mut World, made: &Key, fields: &mut Fields) {
    let mut interfaces = part(fields, "networkInterfaces")
        .as_array()
        .cloned()
        .unwrap_or_default();
    for interface in &mut interfaces {
        interface["networkIP"] = Value::Null;
        if let Some(config) = interface["accessConfigs"].get_mut(0) {
            config["natIP"] = Value::Null;
        }
    }
    if let Ok(interfaces) = interface::number(world, &interfaces) {
        fields.insert("networkInterfaces".to_owned(), json!(interfaces));
    }
    let mut disks = part(fields, "disks")
        .as_array()
        .cloned()
        .unwrap_or_default();
    for (index, disk) in disks.iter_mut().enumerate() {
        let old = disk["source"]
            .as_str()
            .and_then(|link| Key::parse(link, ""));
        let Some((mut key, copied)) = old.and_then(|key| {
            let copied = world.things.get(&key)?.clone();
            Some((key, copied))
        }) else {
            continue;
        };
        key.name = match index {
            0 => made.name.clone(),
            index => format!("{}-{index}", made.name),
        };
        world.put(&key, copied);
        disk["source"] = json!(key.link());
    }
    fields.insert("disks".to_owned(), json!(disks));
}
