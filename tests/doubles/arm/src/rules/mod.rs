//! What each call does: our reading of Microsoft's REST reference.
//! <https://learn.microsoft.com/rest/api/azure/>

mod account;
mod attach;
mod disk;
mod drives;
mod group;
mod inline;
mod interface;
mod machine;
mod network;
mod place;
mod power;
mod profile;
mod read;
mod security;
mod show;
mod subnet;
mod uses;

use serde_json::{Value, json};

use crate::call::{Call, Route};
use crate::catalogue;
use crate::extensions;
use crate::id::Id;
use crate::kinds::{GROUP, Kind, Put};
use crate::merge::{merge, plain};
use crate::operations::{Effect, Lead};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::tags;
use crate::world::{Fields, Thing, World};

pub(crate) use account::of_name as account_of;
pub(crate) use disk::CLASSES;
pub(crate) use group::{brief, visible};
pub(crate) use show::show;

/// What a PUT or PATCH is about to do.
struct Change<'a> {
    call: &'a Call<'a>,
    id: &'a Id,
    /// What is there.
    old: Option<Thing>,
    /// What is to be there.
    fields: Fields,
}

impl Change<'_> {
    fn properties(&self) -> &Value {
        self.fields.get("properties").unwrap_or(&Value::Null)
    }

    fn set(&mut self, name: &str, value: Value) {
        let properties = self.fields.entry("properties").or_insert_with(|| json!({}));
        properties[name] = value;
    }

    /// Sets what the caller cannot, or did not.
    fn default(&mut self, name: &str, value: Value) {
        if self.properties()[name].is_null() {
            self.set(name, value);
        }
    }

    fn location(&self) -> String {
        let location = self.fields.get("location").and_then(Value::as_str);
        location.unwrap_or_default().to_owned()
    }

    fn was(&self, name: &str) -> &Value {
        self.old
            .as_ref()
            .map_or(&Value::Null, |old| old.property(name))
    }
}

/// An effect that does nothing more.
fn nothing() -> Effect {
    Box::new(|_| Ok(()))
}

/// Answers a call that was found good.
pub(crate) fn answer(world: &mut World, call: &Call<'_>) -> Result<Answer, Refusal> {
    match &call.route {
        Route::Thing(id, kind) => match call.http {
            "GET" => read::get(world, call, id, kind),
            "PUT" => put(world, call, id, kind),
            "PATCH" => patch(world, call, id, kind),
            "DELETE" => delete(world, call, id, kind),
            http => Err(Refusal::not_done(&format!("{http} of {}", kind.name()))),
        },
        Route::List(scope, kind) if call.http == "GET" => read::all(world, call, scope, kind),
        Route::Action(id, kind, action) => match kind.word() {
            "virtualMachines" => power::answer(world, call, id, action),
            "storageAccounts" => account::action(world, call, id, action),
            word => Err(Refusal::not_done(&format!("{action} of {word}"))),
        },
        Route::Tags(scope) => tags::answer(world, call, &scope.clone()),
        Route::Skus if call.http == "GET" => catalogue::skus(world, call),
        Route::NameAvailability => account::availability(world, call),
        Route::Agreement(of) => extensions::agreement(world, call, of),
        Route::Located(_, _, _) => extensions::located(world, call),
        route => extensions::answer(world, call, route),
    }
}

/// Whether the group of a thing, and what it is a part of, are there.
fn home(world: &World, id: &Id, kind: &Kind) -> Result<(), Refusal> {
    if kind.types == GROUP.types {
        return Ok(());
    }
    if world.get(&id.group_id()).is_none() {
        return Err(Refusal::group_not_found(id.group()));
    }
    if kind.types.len() == 1 {
        return Ok(());
    }
    let parent = match kind.word() {
        "containers" => id.parent().parent(),
        _ => id.parent(),
    };
    world.thing(&parent).map(|_| ()).map_err(|_| {
        let message = format!(
            "Can not perform requested operation on nested resource. Parent resource '{}' not \
             found.",
            parent.name()
        );
        Refusal::new(404, "ParentResourceNotFound", message)
    })
}

fn found<'a>(world: &'a World, id: &Id, kind: &Kind) -> Result<&'a Thing, Refusal> {
    if kind.types == GROUP.types {
        return world
            .get(id)
            .ok_or_else(|| Refusal::group_not_found(id.name()));
    }
    home(world, id, kind)?;
    let is_part = kind.is_network() && kind.types.len() > 1;
    world.get(id).ok_or_else(|| match is_part {
        true => Refusal::new(404, "NotFound", format!("Resource {id} not found.")),
        false => Refusal::not_found(id),
    })
}

/// Holds the conditions of a write against what is there.
fn conditions(call: &Call<'_>, old: Option<&Thing>, id: &Id, kind: &Kind) -> Result<(), Refusal> {
    let is = old.map(Thing::etag);
    let is = is.as_deref().unwrap_or_default();
    if let Some(wanted) = call.asked.header("if-match").filter(|_| kind.has_etag) {
        let fits = old.is_some() && (wanted == "*" || wanted == is);
        if !fits {
            return Err(Refusal::condition(id, wanted, is));
        }
    }
    if let Some(unwanted) = call
        .asked
        .header("if-none-match")
        .filter(|_| kind.creates_only)
    {
        let clashes = old.is_some() && (unwanted == "*" || unwanted == is);
        if clashes {
            return Err(Refusal::exists(id, is));
        }
    }
    Ok(())
}

/// Refuses a write while an operation goes on.
fn ready(world: &World, id: &Id, kind: &Kind) -> Result<(), Refusal> {
    let group = id.group_id();
    let is_going = kind.types != GROUP.types
        && world
            .get(&group)
            .is_some_and(|group| group.property("provisioningState") == "Deleting");
    if is_going {
        // <https://learn.microsoft.com/azure/azure-resource-manager/management/delete-resource-group>
        let message = format!(
            "The resource group '{}' is in deprovisioning state and cannot perform this operation.",
            id.group()
        );
        return Err(Refusal::new(409, "ResourceGroupBeingDeleted", message));
    }
    match world.going(id) {
        None => Ok(()),
        Some(operation) if kind.is_network() => Err(Refusal::another_operation(
            &operation.url(&world.endpoint, false),
        )),
        Some(_) => Err(Refusal::conflict()),
    }
}

fn put(
    world: &mut World,
    call: &Call<'_>,
    id: &Id,
    kind: &'static Kind,
) -> Result<Answer, Refusal> {
    home(world, id, kind)?;
    let old = world.get(id).cloned();
    conditions(call, old.as_ref(), id, kind)?;
    ready(world, id, kind)?;
    place::check_name(id, kind)?;
    let mut fields = match (kind.put, &old) {
        (Put::Merges, Some(old)) => merge(&old.fields, &call.body),
        _ => plain(&call.body),
    };
    for name in ["id", "name", "type", "etag", "systemData"] {
        fields.remove(name);
    }
    if kind.is_tracked {
        place::check(world, id, old.as_ref(), &mut fields)?;
        tags::inherit(world, &mut fields);
        tags::check(fields.get("tags"), kind.namespace == "Microsoft.Storage")?;
    }
    let is_new = old.is_none();
    let id = old
        .as_ref()
        .map_or_else(|| place::canonical(world, id, kind), |old| old.id.clone());
    let change = Change {
        call,
        id: &id,
        old,
        fields,
    };
    apply(world, change, kind, is_new)
}

fn patch(
    world: &mut World,
    call: &Call<'_>,
    id: &Id,
    kind: &'static Kind,
) -> Result<Answer, Refusal> {
    let old = found(world, id, kind)?.clone();
    conditions(call, Some(&old), id, kind)?;
    ready(world, id, kind)?;
    let strange = call.body.keys().find(|name| name.as_str() != "tags");
    if let Some(name) = strange.filter(|_| kind.put == Put::Replaces) {
        let message = format!("Could not find member '{name}' on object of type 'TagsObject'.");
        return Err(Refusal::new(400, "InvalidRequestFormat", message));
    }
    let mut fields = merge(&old.fields, &call.body);
    tags::inherit(world, &mut fields);
    tags::check(fields.get("tags"), kind.namespace == "Microsoft.Storage")?;
    let id = old.id.clone();
    if kind.put == Put::Replaces {
        world.put(&id, fields);
        let shown = show(world, world.thing(&id)?);
        return Ok(Answer::json(200, &shown));
    }
    let change = Change {
        call,
        id: &id,
        old: Some(old),
        fields,
    };
    apply(world, change, kind, false)
}

/// Makes or changes a thing, and begins the operation that brings it to its state.
fn apply(
    world: &mut World,
    change: Change<'_>,
    kind: &'static Kind,
    is_new: bool,
) -> Result<Answer, Refusal> {
    let (call, id, location) = (change.call, change.id.clone(), change.location());
    let effect = match kind.word() {
        "resourceGroups" => group::put(world, &change)?,
        "virtualNetworks" => network::put(world, change)?,
        "subnets" => subnet::put(world, &change)?,
        "networkSecurityGroups" => security::put(world, change)?,
        "securityRules" => security::put_rule(world, &change)?,
        "applicationSecurityGroups" => security::put_plain(world, change)?,
        "publicIPAddresses" => interface::put_address(world, change)?,
        "networkInterfaces" => interface::put(world, change)?,
        "disks" => disk::put(world, change)?,
        "virtualMachines" => machine::put(world, change)?,
        "sshPublicKeys" => profile::put_key(world, change)?,
        "storageAccounts" => account::put(world, change)?,
        "blobServices" => account::put_service(world, change)?,
        "containers" => account::put_container(world, change)?,
        word => return Err(Refusal::not_done(&format!("PUT of {word}"))),
    };
    let status = if is_new { 201 } else { 200 };
    let is_at_once = !kind.is_slow || (kind.word() == "storageAccounts" && call.http == "PATCH");
    if is_at_once {
        effect(world)?;
        let shown = show(world, world.thing(&id)?);
        return Ok(Answer::json(status, &shown));
    }
    let state = if is_new { "Creating" } else { "Updating" };
    if let Some(thing) = world.get_mut(&id) {
        thing.set("provisioningState", json!(state));
    }
    let target = id.clone();
    let effect: Effect = Box::new(move |world| {
        let result = effect(world);
        let state = if result.is_ok() {
            "Succeeded"
        } else {
            "Failed"
        };
        if let Some(thing) = world.get_mut(&target) {
            thing.set("provisioningState", json!(state));
            thing.version += 1;
            match &result {
                Ok(()) => thing.inner.remove("failure"),
                Err(failure) => thing
                    .inner
                    .insert("failure".to_owned(), json!(failure.code)),
            };
        }
        result
    });
    let operation = world.begin(
        &call.id,
        &id,
        &place::location_of(world, &id, location),
        true,
        effect,
    );
    let (status, lead) = match kind.word() {
        "disks" => (202, Lead::Both),
        "storageAccounts" => (202, Lead::Location),
        _ => (status, Lead::Status),
    };
    let headers = world.lead(&operation, lead);
    let is_done = headers.is_empty();
    let shown = match (lead, is_done) {
        (Lead::Location, false) => Value::Null,
        _ => show(world, world.thing(&id)?),
    };
    let status = if is_done && status == 202 {
        200
    } else {
        status
    };
    Ok(Answer::json(status, &shown).with_headers(headers))
}

fn delete(
    world: &mut World,
    call: &Call<'_>,
    id: &Id,
    kind: &'static Kind,
) -> Result<Answer, Refusal> {
    if kind.types == GROUP.types {
        return group::delete(world, call, id);
    }
    if world.get(&id.group_id()).is_none() {
        return Err(Refusal::group_not_found(id.group()));
    }
    let Some(thing) = world.get(id).cloned() else {
        return Ok(Answer::json(204, &Value::Null));
    };
    conditions(call, Some(&thing), id, kind)?;
    ready(world, id, kind)?;
    uses::check_unused(world, &thing, kind)?;
    let gone = thing.id.clone();
    if !kind.is_slow || kind.word() == "storageAccounts" {
        unmake(world, &gone);
        return Ok(Answer::json(200, &Value::Null));
    }
    if let Some(thing) = world.get_mut(id) {
        thing.set("provisioningState", json!("Deleting"));
    }
    let location = place::location_of(world, id, thing.location().to_owned());
    let target = gone.clone();
    let effect: Effect = Box::new(move |world| {
        unmake(world, &target);
        Ok(())
    });
    let operation = world.begin(&call.id, &gone, &location, false, effect);
    let headers = world.lead(&operation, Lead::Both);
    let status = if headers.is_empty() { 200 } else { 202 };
    Ok(Answer::json(status, &Value::Null).with_headers(headers))
}

/// Takes a thing away past every rule, with what goes with it.
pub(crate) fn unmake(world: &mut World, id: &Id) {
    if id
        .kind()
        .is_some_and(|kind| kind.word() == "virtualMachines")
    {
        machine::unmake(world, id);
    }
    world.drop_thing(id);
}
