//! What an apply brought, for outputs.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use strat_model::{Inventory, LocalAddr, Name, Owner, Resource, ResourceState, Severity};

use crate::ast::Block;
use crate::eval::{Evaluator, ROOT, is_several};
use crate::report::Outcome;
use crate::value::{Json, Ref, Value, text_of, to_json};

/// What is known of a topology's things after an apply.
#[derive(Debug, Default)]
pub(crate) struct Known<'i> {
    /// Every real thing of an address, sorted by site and id.
    things: FxHashMap<&'i LocalAddr, Vec<(&'i Name, &'i Resource)>>,
}

/// The outputs of a topology after an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The value; `None` while it waits for an apply, or could not be evaluated.
    pub value: Option<Json>,
    /// Whether it must not be shown unasked.
    pub sensitive: bool,
    /// What it is.
    pub description: Option<String>,
    /// Why it could not be evaluated.
    pub error: Option<String>,
}

impl<'i> Known<'i> {
    /// What `inventory` says of the things of `owner`.
    pub(crate) fn of(inventory: &'i Inventory, owner: &Owner) -> Self {
        let mut things: FxHashMap<_, Vec<(&Name, &Resource)>> = FxHashMap::default();
        for (site, resource) in inventory.resources() {
            let Some(mark) = &resource.mark else { continue };
            if owner.owns(&mark.owner) && resource.state != ResourceState::Deleting {
                let list = things.entry(&mark.addr.local).or_default();
                list.push((site, resource));
            }
        }
        for (site, seen) in &inventory.sites {
            for one in &seen.lookups {
                let found = one.things(site).map(|(_, thing)| (site, thing));
                things.entry(&one.addr).or_default().extend(found);
            }
        }
        for list in things.values_mut() {
            list.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        }
        Self { things }
    }

    /// An attribute of the one thing of an address.
    pub(crate) fn one(&self, addr: &LocalAddr, name: &str) -> Option<&'i str> {
        let (site, resource) = self.things.get(addr)?.first()?;
        attribute(site, resource, name)
    }

    /// An attribute of all things of an address; `names` is a list of `name`. `None` if nothing
    /// is there.
    pub(crate) fn all(&self, addr: &LocalAddr, names: &str) -> Option<Vec<&'i str>> {
        let name = names.strip_suffix('s').unwrap_or(names);
        let things = self.things.get(addr)?.iter();
        let texts = things.filter_map(|(site, resource)| attribute(site, resource, name));
        Some(texts.collect())
    }

    /// Everything known of each thing of an address, with the address.
    pub(crate) fn whole(&self, addr: &LocalAddr) -> Vec<BTreeMap<&'i str, String>> {
        let things = self.things.get(addr).into_iter().flatten();
        let named = things.map(|(site, resource)| {
            let names = resource.attributes.keys().map(String::as_str);
            let known = names.chain(OF_EVERY_THING);
            let known = known.filter_map(|name| Some((name, attribute(site, resource, name)?)));
            let known = known.map(|(name, text)| (name, text.to_owned()));
            known.chain([("addr", addr.to_string())]).collect()
        });
        named.collect()
    }
}

/// What every thing has, beside what its provider tells of it.
const OF_EVERY_THING: [&str; 4] = ["id", "name", "site", "zone"];

fn attribute<'i>(site: &'i Name, resource: &'i Resource, name: &str) -> Option<&'i str> {
    let told = || resource.attributes.get(name).map(String::as_str);
    match name {
        "id" => Some(resource.id.as_str()),
        "name" => Some(&resource.name),
        "site" => Some(site.as_str()),
        "zone" => resource.zone().map(Name::as_str).or_else(told),
        _ => told(),
    }
}

/// Checks an output as far as it is known before an apply.
pub(crate) fn checked_output(ev: &mut Evaluator<'_>, block: &Block) -> Outcome<()> {
    let Some(attribute) = block.body.attribute("value") else {
        return Ok(());
    };
    let span = attribute.value.span;
    let hidden = is_sensitive(ev, block);
    description(ev, block);
    let value = ev.eval(&attribute.value, &ROOT)?;
    if value.is_sensitive() && !hidden? {
        let name = block.labels.first().map_or("", |label| &*label.text);
        return Err(ev.fail(
            span,
            "sensitive_value",
            format!("the output `{name}` would show a sensitive value"),
            "sensitive",
            Some("add `sensitive = true` to the output".to_owned()),
        ));
    }
    Ok(())
}

pub(crate) fn is_sensitive(ev: &mut Evaluator<'_>, block: &Block) -> Outcome<bool> {
    let Some(attribute) = block.body.attribute("sensitive") else {
        return Ok(false);
    };
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &ROOT)?;
    let value = ev.plain(value, span, "sensitive")?;
    ev.bool(&value, span, "`sensitive`")
}

pub(crate) fn description(ev: &mut Evaluator<'_>, block: &Block) -> Option<String> {
    let attribute = block.body.attribute("description")?;
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &ROOT).ok()?;
    let value = ev.plain(value, span, "description").ok()?;
    text_of(&value).map(|text| text.to_string())
}

pub(crate) fn output(ev: &mut Evaluator<'_>, block: &Block, known: &Known<'_>) -> Output {
    let sensitive = is_sensitive(ev, block).unwrap_or(true);
    let description = description(ev, block);
    let mut output = Output {
        value: None,
        sensitive,
        description,
        error: None,
    };
    let Some(attribute) = block.body.attribute("value") else {
        return output;
    };
    if waits(ev, block, known) {
        return output;
    }
    let before = std::mem::take(&mut ev.sink);
    match ev.eval(&attribute.value, &ROOT) {
        Ok(value) if value.is_sensitive() && !sensitive => {
            output.error = Some("its value is sensitive, and the output is not".to_owned());
        }
        Ok(value) => output.value = with_things(&value, known),
        Err(_) => {
            let found = std::mem::take(&mut ev.sink).finish();
            let first = found.into_iter().find(|d| d.severity == Severity::Error);
            let message = first.map_or_else(|| "it cannot be evaluated".to_owned(), |d| d.message);
            output.error = Some(message);
        }
    }
    ev.sink = before;
    output
}

/// Whether something that an output depends on is not there yet.
fn waits(ev: &mut Evaluator<'_>, block: &Block, known: &Known<'_>) -> bool {
    let Some(attribute) = block.body.attribute("depends_on") else {
        return false;
    };
    let Ok(value) = ev.eval(&attribute.value, &ROOT) else {
        return false;
    };
    is_absent(&value, known)
}

fn is_absent(value: &Value, known: &Known<'_>) -> bool {
    match value {
        Value::Ref(Ref::Thing { addr, .. }) => known.whole(addr).is_empty(),
        Value::List(items) => items.iter().any(|item| is_absent(item, known)),
        Value::Map(items) => items.values().any(|item| is_absent(item, known)),
        _ => false,
    }
}

/// The JSON of a value; a thing is everything that is known of it.
pub(crate) fn with_things(value: &Value, known: &Known<'_>) -> Option<Json> {
    match value {
        Value::Ref(Ref::Thing { addr, .. }) => {
            let mut things = known.whole(addr);
            match (things.len(), is_several(addr.noun)) {
                (0, _) => None,
                (_, true) => serde_json::to_value(things).ok().map(Json::from),
                (_, false) => serde_json::to_value(things.swap_remove(0))
                    .ok()
                    .map(Json::from),
            }
        }
        Value::List(items) => {
            let items = items.iter().map(|item| with_things(item, known));
            items.collect::<Option<_>>().map(Json::Array)
        }
        Value::Map(items) => {
            let fields = items
                .iter()
                .map(|(key, item)| Some((key.to_string(), with_things(item, known)?)));
            fields.collect::<Option<_>>().map(Json::Object)
        }
        Value::Sensitive(inner) => with_things(inner, known),
        other => to_json(other),
    }
}
