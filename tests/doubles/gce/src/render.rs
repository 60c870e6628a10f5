//! Things as they are answered: with the fields that follow from other things.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kinds::Key;
use crate::quota;
use crate::world::{Fields, World};

/// What refers to the things of a kind, looked up once for a whole list.
pub(crate) struct Render {
    /// By link (or, for addresses, by the address itself): the links of its users.
    users: BTreeMap<String, Vec<String>>,
    /// The quotas by region, or of the project.
    quotas: BTreeMap<String, Value>,
}

impl Render {
    pub(crate) fn of(world: &World, project: &str, collection: &str) -> Self {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut add = |used: &Value, user: &Key| {
            if let Some(used) = used.as_str() {
                users.entry(used.to_owned()).or_default().push(user.link());
            }
        };
        match collection {
            "networks" => {
                for (key, fields) in world.all(project, "subnetworks") {
                    add(&fields["network"], key);
                }
            }
            "disks" | "addresses" => {
                for (key, fields) in world.all(project, "instances") {
                    match collection {
                        "disks" => sources(fields).for_each(|source| add(source, key)),
                        _ => public_addresses(fields).for_each(|address| add(address, key)),
                    }
                }
            }
            _ => {}
        }
        // The quotas of a project are those of no region.
        let places: Vec<&str> = match collection {
            "projects" => vec![""],
            "regions" => {
                let regions = world.all(project, "regions");
                regions.map(|(key, _)| key.name.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let shown = |place: &&str| ((*place).to_owned(), quota::show(world, project, place));
        let quotas = places.iter().map(shown);
        Self {
            users,
            quotas: quotas.collect(),
        }
    }

    /// A thing with all its fields.
    pub(crate) fn show(&self, key: &Key, fields: &Fields) -> Value {
        let mut shown = fields.clone();
        let users = |used: &str| self.users.get(used).cloned().unwrap_or_default();
        match key.collection {
            "projects" | "regions" => {
                let place = match key.collection {
                    "regions" => key.name.as_str(),
                    _ => "",
                };
                let quotas = self.quotas.get(place).cloned();
                shown.insert("quotas".to_owned(), json!(quotas));
            }
            "networks" => {
                let subnets = users(&key.link());
                if !subnets.is_empty() {
                    shown.insert("subnetworks".to_owned(), json!(subnets));
                }
            }
            "disks" => {
                let users = users(&key.link());
                if !users.is_empty() {
                    shown.insert("users".to_owned(), json!(users));
                }
            }
            "addresses" => {
                let users = users(fields["address"].as_str().unwrap_or_default());
                if !users.is_empty() {
                    shown.insert("status".to_owned(), json!("IN_USE"));
                    shown.insert("users".to_owned(), json!(users));
                }
            }
            _ => {}
        }
        Value::Object(shown)
    }
}

/// The links of an instance's disks.
pub(crate) fn sources(instance: &Fields) -> impl Iterator<Item = &Value> {
    let disks = instance.get("disks").and_then(Value::as_array);
    disks.into_iter().flatten().map(|disk| &disk["source"])
}

/// The public addresses of an instance.
pub(crate) fn public_addresses(instance: &Fields) -> impl Iterator<Item = &Value> {
    let interfaces = instance.get("networkInterfaces").and_then(Value::as_array);
    let configs = interfaces
        .into_iter()
        .flatten()
        .filter_map(|interface| interface["accessConfigs"].as_array());
    configs.flatten().map(|config| &config["natIP"])
}
