//! What is read: one thing, and lists of a kind.

use serde_json::Value;

use super::{found, group, power, show};
use crate::call::Call;
use crate::id::Id;
use crate::kinds::{GROUP, Kind};
use crate::list;
use crate::refusal::Refusal;
use crate::server::Answer;
use crate::world::{Thing, World};

pub(super) fn get(
    world: &mut World,
    call: &Call<'_>,
    id: &Id,
    kind: &Kind,
) -> Result<Answer, Refusal> {
    let below = format!("{}/", id.key());
    world.tick(|operation| {
        let target = operation.target.key();
        target == id.key() || target.starts_with(&below)
    });
    if call.asked.http == "HEAD" {
        let status = if world.get(id).is_some() { 204 } else { 404 };
        return Ok(Answer::json(status, &Value::Null));
    }
    let thing = found(world, id, kind)?;
    let mut shown = show(world, thing);
    if kind.word() == "virtualMachines" {
        let expand = call.query("$expand").unwrap_or_default().to_lowercase();
        if expand.contains("instanceview") {
            shown["properties"]["instanceView"] = power::view(world, thing);
        }
        if expand.contains("userdata") {
            shown["properties"]["userData"] =
                thing.inner.get("userData").cloned().unwrap_or_default();
        }
    }
    let mut answer = Answer::json(200, &shown);
    if kind.has_etag {
        answer.headers.push(("etag", thing.etag()));
    }
    Ok(answer)
}

/// A list of a kind.
pub(super) fn all(
    world: &mut World,
    call: &Call<'_>,
    scope: &Id,
    kind: &'static Kind,
) -> Result<Answer, Refusal> {
    world.subscription(scope.subscription())?;
    if !scope.group().is_empty() && kind.types != GROUP.types {
        if world.get(&scope.group_id()).is_none() {
            return Err(Refusal::group_not_found(scope.group()));
        }
        let is_part = kind.types.len() > 1;
        if is_part && kind.word() != "containers" {
            world.thing(scope)?;
        }
    }
    let (below, word) = (format!("{}/", scope.key()), kind.word());
    let is_meant =
        |id: &Id| id.key().starts_with(&below) && id.kind().is_some_and(|kind| kind.word() == word);
    world.tick(|operation| is_meant(&operation.target));
    let items = group::visible(world, is_meant);
    let filter = list::Filter::parse(call.query("$filter").unwrap_or_default())?;
    filter.knows(&["tagName", "tagValue"])?;
    let fits = |thing: &&Thing| filter.fits_tags(thing.fields.get("tags"));
    let wants_view = call
        .query("statusOnly")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let shown = items.iter().filter(fits).map(|thing| {
        let shown = show(world, thing);
        match wants_view && word == "virtualMachines" {
            true => power::status_only(world, thing, &shown),
            false => shown,
        }
    });
    let page = list::page(world, call, shown.collect())?;
    Ok(Answer::json(200, &page))
}
