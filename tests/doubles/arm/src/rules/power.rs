//! What machines do: start, stop, and what is told of it.
//! <https://learn.microsoft.com/azure/virtual-machines/states-billing>

use serde_json::{Value, json};

use super::machine;
use crate::call::Call;
use crate::catalogue;
use crate::id::Id;
use crate::operations::{Effect, Lead};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::text::time;
use crate::world::{Thing, World, items};

fn power(thing: &Thing) -> Option<&str> {
    thing.inner.get("power").and_then(Value::as_str)
}

/// A machine in a list that asks for its state alone.
/// <https://learn.microsoft.com/rest/api/compute/virtual-machines/list-all>
pub(super) fn status_only(world: &World, thing: &Thing, shown: &Value) -> Value {
    let mut brief = json!({});
    for name in ["id", "name", "type", "location"] {
        brief[name] = shown[name].clone();
    }
    brief["properties"] = json!({
        "vmId": shown["properties"]["vmId"],
        "provisioningState": shown["properties"]["provisioningState"],
        "instanceView": view(world, thing),
    });
    brief
}

/// The instance view of a machine.
/// <https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view>
pub(super) fn view(world: &World, thing: &Thing) -> Value {
    let state = thing
        .property("provisioningState")
        .as_str()
        .unwrap_or_default();
    let mut provisioning = json!({
        "code": format!("ProvisioningState/{}", state.to_lowercase()),
        "level": if state == "Failed" { "Error" } else { "Info" },
        "displayStatus": format!("Provisioning {}", state.to_lowercase()),
        "time": time(world.now),
    });
    if let Some(code) = thing.inner.get("failure").and_then(Value::as_str) {
        provisioning["code"] = json!(format!("ProvisioningState/failed/{code}"));
    }
    let mut statuses = vec![provisioning];
    // What never ran, or does not yet, has no power state.
    if state != "Creating"
        && let Some(power) = power(thing)
    {
        statuses.push(json!({
            "code": format!("PowerState/{power}"),
            "level": "Info",
            "displayStatus": format!("VM {power}"),
        }));
    }
    json!({ "statuses": statuses })
}

pub(super) fn answer(
    world: &mut World,
    call: &Call<'_>,
    id: &Id,
    action: &str,
) -> Result<Answer, Refusal> {
    let action = action.to_lowercase();
    world.tick(|operation| operation.target == *id && action == "instanceview");
    if world.get(&id.group_id()).is_none() {
        return Err(Refusal::group_not_found(id.group()));
    }
    let thing = world.thing(id)?.clone();
    if action == "instanceview" && call.http == "GET" {
        return Ok(Answer::json(200, &view(world, &thing)));
    }
    if call.http != "POST" {
        return Err(Refusal::not_done(&format!(
            "{} {action} of a machine",
            call.http
        )));
    }
    if action == "simulateeviction" {
        return evict(world, &thing);
    }
    if world.going(id).is_some() {
        return Err(Refusal::conflict());
    }
    if action == "attachdetachdatadisks" {
        return super::attach::answer(world, call, &thing);
    }
    let before = power(&thing).unwrap_or("deallocated").to_owned();
    let location = thing.location().to_owned();
    let (after, failure) = match (action.as_str(), before.as_str()) {
        ("restart", "deallocated") => {
            let message = format!("Cannot restart VM {}: it is deallocated.", id.name());
            return Err(Refusal::not_allowed(message));
        }
        ("start", "deallocated") => ("running", room(world, &thing, &location)?),
        ("start" | "restart", _) => ("running", None),
        ("poweroff", "deallocated") | ("deallocate", _) => ("deallocated", None),
        ("poweroff", _) => ("stopped", None),
        _ => return Err(Refusal::not_done(&format!("{action} of a machine"))),
    };
    let target = thing.id.clone();
    let passing = match after {
        "running" => "starting",
        "deallocated" => "deallocating",
        _ => "stopping",
    };
    if after != before
        && let Some(thing) = world.get_mut(id)
    {
        thing.inner.insert("power".to_owned(), json!(passing));
        thing.set("provisioningState", json!("Updating"));
    }
    let effect: Effect = Box::new(move |world| {
        let thing = world.get_mut(&target);
        let (power, state) = match &failure {
            Some(_) => (before.as_str(), "Failed"),
            None => (after, "Succeeded"),
        };
        if let Some(thing) = thing {
            thing.inner.insert("power".to_owned(), json!(power));
            thing.set("provisioningState", json!(state));
        }
        failure.map_or(Ok(()), Err)
    });
    let operation = world.begin(&call.id, &thing.id, &location, false, effect);
    let headers = world.lead(&operation, Lead::Both);
    let status = if headers.is_empty() { 200 } else { 202 };
    Ok(Answer::json(status, &Value::Null).with_headers(headers))
}

/// The place that a deallocated machine needs to start again; at the end, the failure where there is
/// none.
fn room(world: &mut World, thing: &Thing, location: &str) -> Result<Option<Refusal>, Refusal> {
    let name = thing.property("hardwareProfile")["vmSize"]
        .as_str()
        .unwrap_or_default();
    let size = catalogue::size(name).ok_or_else(|| Refusal::parameter("vmSize", name))?;
    let zones = thing.fields.get("zones").cloned().unwrap_or_default();
    let zone = items(&zones).next().and_then(Value::as_str);
    Ok(machine::allocate(world, &size, location, zone))
}

/// <https://learn.microsoft.com/azure/virtual-machines/spot-portal#simulate-an-eviction>
fn evict(world: &mut World, thing: &Thing) -> Result<Answer, Refusal> {
    let properties = thing.fields.get("properties").cloned().unwrap_or_default();
    if !machine::is_spot(&properties) {
        let message = "The operation is only allowed on Azure Spot Virtual Machines.";
        return Err(Refusal::not_allowed(message));
    }
    match properties["evictionPolicy"] == "Delete" {
        true => super::unmake(world, &thing.id),
        false => {
            if let Some(thing) = world.get_mut(&thing.id) {
                thing.inner.insert("power".to_owned(), json!("deallocated"));
            }
        }
    }
    Ok(Answer::json(204, &Value::Null))
}
