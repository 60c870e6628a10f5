//! Resource groups, and what lists show.
//! <https://learn.microsoft.com/rest/api/resources/resource-groups>

use serde_json::{Value, json};

use super::{Change, found, nothing, show, unmake};
use crate::call::Call;
use crate::id::Id;
use crate::kinds::GROUP;
use crate::operations::{Effect, Lead};
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::{Fields, Thing, World};

pub(super) fn put(world: &mut World, change: &Change<'_>) -> Result<Effect, Refusal> {
    let mut fields = Fields::new();
    for name in ["location", "tags", "managedBy"] {
        if let Some(value) = change.fields.get(name) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    fields.insert(
        "properties".to_owned(),
        json!({ "provisioningState": "Succeeded" }),
    );
    world.put(change.id, fields);
    Ok(nothing())
}

/// Deletes a group with all that is in it.
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/delete-resource-group>
pub(super) fn delete(world: &mut World, call: &Call<'_>, id: &Id) -> Result<Answer, Refusal> {
    let group = found(world, id, &GROUP)?.id.clone();
    if world.going(&group).is_none() {
        if let Some(thing) = world.get_mut(&group) {
            thing.set("provisioningState", json!("Deleting"));
        }
        let gone = group.clone();
        let effect: Effect = Box::new(move |world| {
            let below = format!("{}/", gone.key());
            let members: Vec<Id> = world
                .things
                .values()
                .filter(|thing| thing.id.key().starts_with(&below))
                .map(|thing| thing.id.clone())
                .collect();
            for member in members {
                unmake(world, &member);
            }
            world.drop_thing(&gone);
            Ok(())
        });
        let location = world.thing(&group)?.location().to_owned();
        world.begin(&call.id, &group, &location, false, effect);
    }
    let operation = world.going(&group).map(|operation| operation.id.clone());
    let headers = operation
        .map(|id| world.lead(&id, Lead::Location))
        .unwrap_or_default();
    let status = if headers.is_empty() { 200 } else { 202 };
    Ok(Answer::json(status, &Value::Null).with_headers(headers))
}

/// The things that a list has: those that are meant, without what is too new for it, and with what
/// it still has though it is gone.
pub(crate) fn visible(world: &mut World, is_meant: impl Fn(&Id) -> bool) -> Vec<Thing> {
    let mut items = Vec::new();
    for thing in world.things.values_mut() {
        if !is_meant(&thing.id) {
            continue;
        }
        if thing.hidden > 0 {
            thing.hidden -= 1;
            continue;
        }
        items.push(thing.clone());
    }
    for ghost in &mut world.ghosts {
        if is_meant(&ghost.id) && ghost.hidden > 0 {
            ghost.hidden -= 1;
            items.push(ghost.clone());
        }
    }
    world.ghosts.retain(|ghost| ghost.hidden > 0);
    items.sort_by_key(|thing| thing.id.key());
    items.dedup_by_key(|thing| thing.id.key());
    items
}

/// A thing as the lists over all kinds show it.
/// <https://learn.microsoft.com/rest/api/resources/resources/list-by-resource-group>
pub(crate) fn brief(world: &World, thing: &Thing, expand: &str) -> Value {
    let whole = show(world, thing);
    let mut brief = Fields::new();
    for name in [
        "id",
        "name",
        "type",
        "kind",
        "location",
        "tags",
        "sku",
        "zones",
        "plan",
        "managedBy",
    ] {
        if !whole[name].is_null() {
            brief.insert(name.to_owned(), whole[name].clone());
        }
    }
    let expand = expand.to_lowercase();
    let times = json!(crate::text::time(thing.made));
    for (word, name, value) in [
        ("createdtime", "createdTime", &times),
        ("changedtime", "changedTime", &times),
        (
            "provisioningstate",
            "provisioningState",
            &whole["properties"]["provisioningState"],
        ),
    ] {
        if expand.contains(word) {
            brief.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(brief)
}
