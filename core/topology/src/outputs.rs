//! What an apply brought, for outputs.

use std::collections::{BTreeMap, HashMap};

use strat_model::{Inventory, LocalAddr, Name, Owner, Resource, ResourceState};

/// What is known of a topology's things after an apply.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The attributes of every real thing of an address, sorted by site and id.
    things: HashMap<LocalAddr, Vec<BTreeMap<String, String>>>,
}

/// The outputs of a topology after an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The value; `None` while it waits for an apply, or could not be evaluated.
    pub value: Option<serde_json::Value>,
    /// Whether it must not be shown unasked.
    pub sensitive: bool,
    /// What it is.
    pub description: Option<String>,
    /// Why it could not be evaluated.
    pub error: Option<String>,
}

impl Known {
    /// What `inventory` says of the things of `owner`.
    pub(crate) fn of(inventory: &Inventory, owner: &Owner) -> Self {
        let mut found: HashMap<LocalAddr, Vec<(&Name, &Resource)>> = HashMap::new();
        for (site, resource) in inventory.resources() {
            let Some(mark) = &resource.mark else { continue };
            if mark.owner == *owner && resource.state != ResourceState::Deleting {
                let list = found.entry(mark.addr.local.clone()).or_default();
                list.push((site, resource));
            }
        }
        let things = found.into_iter().map(|(addr, mut list)| {
            list.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
            let list = list.into_iter().map(|(site, r)| attributes(site, r));
            (addr, list.collect())
        });
        Self {
            things: things.collect(),
        }
    }

    /// An attribute of the one thing of an address.
    pub(crate) fn one(&self, addr: &LocalAddr, attribute: &str) -> Option<&str> {
        let first = self.things.get(addr)?.first()?;
        first.get(attribute).map(String::as_str)
    }

    /// An attribute of all things of an address; `names` is a list of `name`. `None` if nothing
    /// is there.
    pub(crate) fn all(&self, addr: &LocalAddr, attributes: &str) -> Option<Vec<&str>> {
        let attribute = attributes.strip_suffix('s').unwrap_or(attributes);
        let things = self.things.get(addr)?;
        let texts = things.iter().filter_map(|thing| thing.get(attribute));
        Some(texts.map(String::as_str).collect())
    }

    /// Everything known of each thing of an address, with the address.
    pub(crate) fn whole(&self, addr: &LocalAddr) -> Vec<BTreeMap<String, String>> {
        let things = self.things.get(addr).into_iter().flatten().cloned();
        let named = things.map(|mut thing| {
            thing.insert("addr".to_owned(), addr.to_string());
            thing
        });
        named.collect()
    }
}

fn attributes(site: &Name, resource: &Resource) -> BTreeMap<String, String> {
    let mut attributes = resource.attributes.clone();
    attributes.insert("id".to_owned(), resource.id.to_string());
    attributes.insert("name".to_owned(), resource.name.clone());
    attributes.insert("site".to_owned(), site.to_string());
    if let Some(zone) = resource.zone() {
        attributes.insert("zone".to_owned(), zone.to_string());
    }
    attributes
}
