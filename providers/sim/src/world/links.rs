//! What the things of a region have to do with each other: names, references, addresses.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use rustc_hash::FxHashMap;
use strat_model::{Kind, ResourceId, Spec};

use super::Thing;

/// Indexes that only a change needs: who reads, and most do nothing else, never makes them.
#[derive(Debug, Default)]
pub(super) struct Links {
    by_name: FxHashMap<Kind, FxHashMap<String, BTreeSet<ResourceId>>>,
    users: FxHashMap<ResourceId, BTreeSet<(Kind, ResourceId)>>,
    leases: FxHashMap<ResourceId, Leases>,
}

/// The addresses of one subnet that are in use.
#[derive(Debug, Default)]
struct Leases {
    used: BTreeSet<u32>,
    next: u32,
}

impl Links {
    pub(super) fn of<'a>(things: impl Iterator<Item = &'a Thing>) -> Self {
        let mut links = Self::default();
        for thing in things {
            links.add(thing);
        }
        links
    }

    /// The ids of the things of a name.
    pub(super) fn named(&self, kind: Kind, name: &str) -> impl Iterator<Item = &ResourceId> {
        let names = self.by_name.get(&kind);
        names
            .and_then(|names| names.get(name))
            .into_iter()
            .flatten()
    }

    /// What refers to a thing.
    pub(super) fn users(&self, id: &ResourceId) -> impl Iterator<Item = &(Kind, ResourceId)> {
        self.users.get(id).into_iter().flatten()
    }

    /// The next free address of a subnet, `reserved` at its start and end left out.
    pub(super) fn free_address(
        &self,
        subnet: &ResourceId,
        range: Ipv4Net,
        reserved: (u32, u32),
    ) -> Option<u32> {
        let first = u32::from(range.network()).checked_add(reserved.0)?;
        let last = u32::from(range.broadcast()).checked_sub(reserved.1)?;
        let size = u64::from(last.checked_sub(first)?) + 1;
        let Some(leases) = self.leases.get(subnet) else {
            return Some(first);
        };
        if leases.used.len() as u64 >= size {
            return None;
        }
        let mut candidate = leases.next.clamp(first, last);
        while leases.used.contains(&candidate) {
            candidate = if candidate == last {
                first
            } else {
                candidate + 1
            };
        }
        Some(candidate)
    }

    pub(super) fn add(&mut self, thing: &Thing) {
        let kind = thing.kind();
        let names = self.by_name.entry(kind).or_default();
        names
            .entry(thing.name.clone())
            .or_default()
            .insert(thing.id.clone());
        thing.spec.for_each_ref(|used| {
            let user = (kind, thing.id.clone());
            self.users.entry(used.clone()).or_default().insert(user);
        });
        if let Some((subnet, ip)) = lease(thing) {
            let leases = self.leases.entry(subnet.clone()).or_default();
            leases.used.insert(ip);
            leases.next = leases.next.max(ip.saturating_add(1));
        }
    }

    pub(super) fn remove(&mut self, thing: &Thing) {
        let kind = thing.kind();
        if let Some(names) = self.by_name.get_mut(&kind)
            && let Some(ids) = names.get_mut(&thing.name)
        {
            ids.remove(&thing.id);
            if ids.is_empty() {
                names.remove(&thing.name);
            }
        }
        thing.spec.for_each_ref(|used| {
            if let Some(users) = self.users.get_mut(used) {
                users.remove(&(kind, thing.id.clone()));
                if users.is_empty() {
                    self.users.remove(used);
                }
            }
        });
        if let Some((subnet, ip)) = lease(thing)
            && let Some(leases) = self.leases.get_mut(subnet)
        {
            leases.used.remove(&ip);
        }
    }
}

fn lease(thing: &Thing) -> Option<(&ResourceId, u32)> {
    match &thing.spec {
        Spec::Machine(machine) => Some((&machine.subnet, u32::from(thing.private_ip()?))),
        _ => None,
    }
}
