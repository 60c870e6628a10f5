//! Many machines in one call. It succeeds where at least `minCount` can be made; each member has an
//! operation of its own, found by `operationGroupId`.
//! <https://cloud.google.com/compute/docs/instances/multiple/about-bulk-creation>

use serde_json::{Value, json};

use super::instance::{self, Plan};
use super::machine::part;
use crate::call::{Call, number, text};
use crate::kinds::{Key, Scope};
use crate::operations::Operation;
use crate::refusal::{Failure, Refusal};
use crate::world::{Fields, World};

/// A member: its key, and its new disks, or why it cannot be made.
type Member = (Key, Result<Vec<Key>, Failure>);

pub(super) fn insert(world: &mut World, call: &Call<'_>) -> Result<Value, Refusal> {
    let zone = call.path.get("zone").cloned().unwrap_or_default();
    let home = Key::new(&call.project, "instances", Scope::Zone(zone), "");
    let count = part(&call.body, "count");
    let Some(count) = number(count).filter(|count| (1..=1_000).contains(count)) else {
        let why = "Must be between 1 and 1000.";
        return Err(Refusal::invalid("resource.count", &count.to_string(), why));
    };
    let least = number(part(&call.body, "minCount")).unwrap_or(count);
    if least > count {
        let why = "Must not be greater than the count.";
        return Err(Refusal::invalid(
            "resource.minCount",
            &least.to_string(),
            why,
        ));
    }
    let names = names(world, call, &home, count)?;
    let plan = properties(world, call, &home)?;
    let mut members: Vec<Member> = Vec::new();
    for name in names {
        let mut key = home.clone();
        key.name = name;
        let made = member(world, &key, &plan);
        members.push((key, made));
    }
    let made = members.iter().filter(|(_, made)| made.is_ok()).count();
    let is_enough = made as u64 >= least;
    let status = move |word: &str, deleted: usize| {
        json!({
            "status": word, "targetVmCount": count, "createdVmCount": made,
            "failedToCreateVmCount": count - made as u64, "deletedVmCount": deleted,
        })
    };
    let zone = Key::new(
        &call.project,
        "zones",
        Scope::Project,
        instance::zone(&home),
    );
    let location = format!("zones/{}", zone.name);
    let metadata = move |status: Value| {
        let by_place = json!({ "perLocationStatus": { &location: status } });
        json!({ "instancesBulkInsertOperationMetadata": by_place })
    };
    let group = world.id();
    let mut inserts = Vec::new();
    for (key, made) in &members {
        let (member, made) = (key.clone(), made.clone());
        let effect = move |world: &mut World| {
            made?;
            instance::run(world, &member);
            Ok(())
        };
        let name = world.open(call, "insert", key, Box::new(effect));
        set(world, &name, |operation| {
            operation.group = Some(group.clone());
        });
        inserts.push(name);
    }
    let name = world.open(call, "bulkInsert", &zone, Box::new(|_| Ok(())));
    let (own, keys) = (name.clone(), members.clone());
    let end = metadata(status("DONE", if is_enough { 0 } else { made }));
    let effect = move |world: &mut World| {
        for name in &inserts {
            world.finish(name);
        }
        set(world, &own, |operation| operation.more = end);
        if is_enough {
            return Ok(());
        }
        // What was made is taken back.
        let mut failure = Ok(());
        for (key, made) in keys {
            match made {
                Ok(new) => instance::unmake(world, &key, &new),
                Err(why) => failure = failure.and(Err(why)),
            }
        }
        failure
    };
    let begin = metadata(status("CREATING", 0));
    let members = members.into_iter().filter(|(_, made)| made.is_ok());
    set(world, &name, |operation| {
        operation.group = Some(group);
        operation.members = members.map(|(key, _)| key).collect();
        operation.more = begin;
        operation.effect = Some(Box::new(effect));
    });
    world.remember(call, &name);
    world.settle(&name);
    Ok(world.operations[&name].show())
}

fn set(world: &mut World, name: &str, change: impl FnOnce(&mut Operation)) {
    if let Some(operation) = world.operations.get_mut(name) {
        change(operation);
    }
}

/// The names of the members: those that are given, or the next of a pattern.
fn names(world: &World, call: &Call<'_>, home: &Key, count: u64) -> Result<Vec<String>, Refusal> {
    let given = part(&call.body, "perInstanceProperties").as_object();
    let given: Vec<String> = given
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let pattern = text(&call.body, "namePattern");
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    if !given.is_empty() {
        if pattern.is_some() || given.len() != wanted {
            let why = "There must be as many as the count says, and no name pattern.";
            return Err(Refusal::invalid("resource.perInstanceProperties", "", why));
        }
        let rule = regex::Regex::new("^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$").expect("a pattern");
        if let Some(bad) = given.iter().find(|name| !rule.is_match(name)) {
            let why = "It is no name of an instance.";
            return Err(Refusal::invalid("resource.perInstanceProperties", bad, why));
        }
        return Ok(given);
    }
    let missing = || {
        let why = "Either a name pattern or per-instance properties must be given.";
        Refusal::invalid("resource.namePattern", pattern.unwrap_or_default(), why)
    };
    let pattern = pattern.ok_or_else(missing)?;
    let start = pattern.find('#').ok_or_else(missing)?;
    let width = pattern[start..].chars().take_while(|c| *c == '#').count();
    let (before, after) = (&pattern[..start], &pattern[start + width..]);
    let numbers = world
        .all(&call.project, "instances")
        .filter_map(|(key, _)| {
            let same = key.scope == home.scope;
            let rest = key.name.strip_prefix(before)?.strip_suffix(after)?;
            rest.parse::<u64>()
                .ok()
                .filter(|_| same && rest.len() == width)
        });
    let first = numbers.max().map_or(1, |last| last + 1);
    let all = (first..first + count).map(|number| format!("{before}{number:0width$}{after}"));
    Ok(all.collect())
}

/// What every member is to be. Its machine type is a name, never a URL.
fn properties(world: &mut World, call: &Call<'_>, home: &Key) -> Result<Plan, Refusal> {
    let mut body: Fields = part(&call.body, "instanceProperties")
        .as_object()
        .cloned()
        .unwrap_or_default();
    let machine_type = text(&body, "machineType").unwrap_or_default().to_owned();
    if machine_type.contains('/') {
        let message = "Internal error: a machine type of instance properties is a name, no URL.";
        return Err(Refusal::new(500, "internalError", message));
    }
    let url = format!("zones/{}/machineTypes/{machine_type}", instance::zone(home));
    body.insert("machineType".to_owned(), json!(url));
    let plan = instance::plan(world, home, &body, "resource.instanceProperties")?;
    Ok(plan)
}

fn member(world: &mut World, key: &Key, plan: &Plan) -> Result<Vec<Key>, Failure> {
    if world.things.contains_key(key) {
        return Err(Failure::of(&Refusal::exists(&key.path())));
    }
    instance::take_room(world, key, plan)?;
    instance::make(world, key, plan)
}
