//! What an apply brought, for outputs.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use strat_model::{Inventory, LocalAddr, Name, Owner, Resource, ResourceState};

use crate::value::Json;

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
