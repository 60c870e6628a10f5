//! Starting, stopping and resizing machines. Starting needs room, as making does.
//! <https://cloud.google.com/compute/docs/instances/instance-life-cycle>

use serde_json::json;

use super::machine::{self, part};
use super::{Begun, instance};
use crate::call::{Call, text};
use crate::kinds::Key;
use crate::quota;
use crate::refusal::{Failure, Refusal};
use crate::text::time;
use crate::world::World;

pub(super) fn set_status(world: &mut World, key: &Key, status: &str) {
    if let Some(fields) = world.things.get_mut(key) {
        fields.insert("status".to_owned(), json!(status));
    }
}

/// Takes a machine of a type from what there is in the zone.
pub(super) fn take_stock(world: &mut World, home: &Key, machine_type: &str) -> Result<(), Failure> {
    let zone = instance::zone(home).to_owned();
    match world.arranged.take_stock(machine_type, &zone) {
        true => Ok(()),
        false => {
            let path = format!("projects/{}/zones/{zone}", home.project);
            let with_details = world.arranged.with_details;
            Err(Failure::stock_out(&path, machine_type, with_details))
        }
    }
}

/// Refuses a machine that is not in a state.
pub(super) fn must_be(world: &World, key: &Key, wanted: &str) -> Result<(), Refusal> {
    let status = text(world.thing(key)?, "status").unwrap_or_default();
    match status == wanted {
        true => Ok(()),
        false => Err(Refusal::new(
            400,
            "invalid",
            format!(
                "Instance '{}' is in state '{status}'; it must be in state '{wanted}'.",
                key.path()
            ),
        )),
    }
}

/// Starting what runs does nothing.
pub(super) fn start(world: &mut World, key: Key) -> Result<Begun, Refusal> {
    if part(world.thing(&key)?, "status") == "RUNNING" {
        return Begun::new(key, |_| Ok(()));
    }
    must_be(world, &key, "TERMINATED")?;
    let fields = world.thing(&key)?;
    let is_spot = machine::is_spot(fields);
    let (machine_type, shape) =
        machine::shape_of(world, fields).ok_or_else(|| Refusal::not_found(&key.path()))?;
    let failure = quota::machine_room(world, &key, &machine_type.name, &shape, is_spot)
        .and_then(|()| take_stock(world, &key, &machine_type.name))
        .err();
    set_status(world, &key, "STAGING");
    let started = key.clone();
    Begun::new(key, move |world| match failure {
        Some(failure) => {
            set_status(world, &started, "TERMINATED");
            Err(failure)
        }
        None => {
            instance::run(world, &started);
            Ok(())
        }
    })
}

/// Stopping what is stopped does nothing.
pub(super) fn stop(world: &mut World, key: Key) -> Result<Begun, Refusal> {
    if part(world.thing(&key)?, "status") == "TERMINATED" {
        return Begun::new(key, |_| Ok(()));
    }
    must_be(world, &key, "RUNNING")?;
    set_status(world, &key, "STOPPING");
    let stopped = key.clone();
    Begun::new(key, move |world| {
        let now = time(world.now);
        set_status(world, &stopped, "TERMINATED");
        if let Some(fields) = world.things.get_mut(&stopped) {
            fields.insert("lastStopTimestamp".to_owned(), json!(now));
        }
        Ok(())
    })
}

pub(super) fn reset(world: &World, key: Key) -> Result<Begun, Refusal> {
    must_be(world, &key, "RUNNING")?;
    Begun::new(key, |_| Ok(()))
}

/// Only a stopped machine can be resized.
/// <https://cloud.google.com/compute/docs/instances/changing-machine-type-of-stopped-instance>
pub(super) fn set_machine_type(
    world: &mut World,
    call: &Call<'_>,
    key: Key,
) -> Result<Begun, Refusal> {
    must_be(world, &key, "TERMINATED")?;
    let url = text(&call.body, "machineType").unwrap_or_default();
    let (wanted, shape) = machine::by_url(world, &key, url, "resource.machineType")?;
    let boot = &world.thing(&key)?["disks"][0]["architecture"];
    if boot.as_str().is_some_and(|boot| boot != shape.architecture) {
        let message = "The boot disk's architecture is not that of the machine type.";
        return Err(Refusal::new(400, "invalid", message));
    }
    let link = wanted.link();
    Begun::change(key, move |fields| {
        fields.insert("machineType".to_owned(), json!(link));
    })
}

/// Only a stopped machine can be sold otherwise: on demand, or from what is spare.
/// <https://cloud.google.com/compute/docs/reference/rest/v1/instances/setScheduling>
pub(super) fn set_scheduling(world: &World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    must_be(world, &key, "TERMINATED")?;
    let wanted = machine::scheduling(&json!(call.body))?;
    Begun::change(key, move |fields| {
        fields.insert("scheduling".to_owned(), wanted);
    })
}
