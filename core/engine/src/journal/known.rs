//! The things of each topology that are known to be there, by id.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Addr, Kind, Name, Owner, ResourceId};

use super::wire::{self, Record};

/// The most ids on one line of the journal.
const IDS_MAX: usize = 1000;

/// The record that things are there.
pub(super) fn known<'i>(
    owner: &Owner,
    addr: &Addr,
    ids: impl IntoIterator<Item = &'i ResourceId>,
) -> Record {
    Record::Known(wire::Known {
        owner: owner.to_string(),
        addr: addr.to_string(),
        ids: ids.into_iter().map(ToString::to_string).collect(),
    })
}

/// The record that they are not.
pub(super) fn forgotten<'i>(
    owner: &Owner,
    addr: &Addr,
    ids: impl IntoIterator<Item = &'i ResourceId>,
) -> Record {
    Record::Forgotten(no_more(owner, addr, ids, None))
}

/// The record that they are there, and the topology's no more.
pub(super) fn released<'i>(
    owner: &Owner,
    addr: &Addr,
    generation: u64,
    ids: impl IntoIterator<Item = &'i ResourceId>,
) -> Record {
    Record::Forgotten(no_more(owner, addr, ids, Some(generation)))
}

fn no_more<'i>(
    owner: &Owner,
    addr: &Addr,
    ids: impl IntoIterator<Item = &'i ResourceId>,
    released: Option<u64>,
) -> wire::Forgotten {
    wire::Forgotten {
        owner: owner.to_string(),
        addr: addr.to_string(),
        ids: ids.into_iter().map(ToString::to_string).collect(),
        released,
    }
}

/// The ids of things at an address.
pub(crate) type Ids = BTreeMap<Addr, BTreeSet<ResourceId>>;

/// What is known to be there.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    things: BTreeMap<Owner, Ids>,
    /// What was let go, and may be there still, with the generation that its mark said.
    released: BTreeMap<(Owner, Addr), BTreeMap<ResourceId, u64>>,
    accounts: BTreeMap<(Owner, Name), String>,
}

impl Ledger {
    /// These are there.
    pub(super) fn know(
        &mut self,
        owner: &Owner,
        addr: &Addr,
        ids: impl IntoIterator<Item = ResourceId>,
    ) {
        let mut ids = ids.into_iter().peekable();
        if ids.peek().is_none() {
            return;
        }
        if !self.released.is_empty() {
            let back: Vec<ResourceId> = ids.collect();
            self.forget_released(owner, addr, &back);
            let things = self.things.entry(owner.clone()).or_default();
            things.entry(addr.clone()).or_default().extend(back);
            return;
        }
        if !self.things.contains_key(owner) {
            self.things.insert(owner.clone(), Ids::new());
        }
        if let Some(things) = self.things.get_mut(owner) {
            things.entry(addr.clone()).or_default().extend(ids);
        }
    }

    /// These are gone, or the topology's no more.
    pub(super) fn forget(&mut self, owner: &Owner, addr: &Addr, ids: &[ResourceId]) {
        // What was written before the topology had a lineage is under its name alone.
        for owner in [owner.clone(), owner.named()] {
            let Some(things) = self.things.get_mut(&owner) else {
                continue;
            };
            if let Some(known) = things.get_mut(addr) {
                known.retain(|id| !ids.contains(id));
                if known.is_empty() {
                    things.remove(addr);
                }
            }
            if things.is_empty() {
                self.things.remove(&owner);
            }
        }
        self.forget_released(owner, addr, ids);
    }

    fn forget_released(&mut self, owner: &Owner, addr: &Addr, ids: &[ResourceId]) {
        let key = (owner.clone(), addr.clone());
        if let Some(released) = self.released.get_mut(&key) {
            released.retain(|id, _| !ids.contains(id));
            if released.is_empty() {
                self.released.remove(&key);
            }
        }
    }

    /// These are there, and the topology's no more.
    pub(super) fn release(
        &mut self,
        owner: &Owner,
        addr: &Addr,
        ids: &[ResourceId],
        generation: u64,
    ) {
        self.forget(owner, addr, ids);
        let key = (owner.clone(), addr.clone());
        let released = self.released.entry(key).or_default();
        released.extend(ids.iter().map(|id| (id.clone(), generation)));
    }

    /// What of a kind at a site was let go: of which address, and the generation that its mark said.
    pub(super) fn released_at(
        &self,
        owner: &Owner,
        site: &Name,
        kind: Kind,
    ) -> BTreeMap<ResourceId, (Addr, u64)> {
        let here = self
            .released
            .iter()
            .filter(|((of, addr), _)| of == owner && addr.site == *site && addr.kind() == kind);
        let each = here.flat_map(|((_, addr), ids)| {
            let with_addr =
                |(id, generation): (&ResourceId, &u64)| (id.clone(), (addr.clone(), *generation));
            ids.iter().map(with_addr)
        });
        each.collect()
    }

    pub(super) fn set_account(&mut self, owner: Owner, site: Name, account: String) {
        self.accounts.insert((owner, site), account);
    }

    /// The account that a site was last known to be in.
    pub(super) fn account(&self, owner: &Owner, site: &Name) -> Option<&str> {
        let named = |owner: Owner| self.accounts.get(&(owner, site.clone()));
        let found = named(owner.clone()).or_else(|| named(owner.named()));
        found.map(String::as_str)
    }

    /// What is known of an owner, and of its name from before it had a lineage.
    fn of<'a>(
        &'a self,
        owner: &Owner,
    ) -> impl Iterator<Item = (&'a Addr, &'a BTreeSet<ResourceId>)> {
        let named = owner.lineage.is_some().then(|| owner.named());
        let own = self.things.get(owner);
        let bare = named.and_then(|named| self.things.get(&named));
        own.into_iter().chain(bare).flatten()
    }

    /// What is known of a kind at a site.
    pub(super) fn at(&self, owner: &Owner, site: &Name, kind: Kind) -> BTreeMap<ResourceId, Addr> {
        let here = self
            .of(owner)
            .filter(|(addr, _)| addr.site == *site && addr.kind() == kind);
        let each =
            here.flat_map(|(addr, ids)| ids.iter().map(move |id| (id.clone(), addr.clone())));
        each.collect()
    }

    /// Whether a thing is known to be at an address.
    pub(super) fn is_known(&self, owner: &Owner, addr: &Addr, id: &ResourceId) -> bool {
        let mut known = self.of(owner).filter(|(at, _)| *at == addr);
        known.any(|(_, ids)| ids.contains(id))
    }

    /// How many things are known at each site.
    pub(super) fn sites(&self, owner: &Owner) -> BTreeMap<Name, usize> {
        let mut sites = BTreeMap::new();
        for (addr, ids) in self.of(owner) {
            *sites.entry(addr.site.clone()).or_default() += ids.len();
        }
        sites
    }

    /// How many things are known of each owner.
    pub(super) fn owners(&self) -> BTreeMap<Owner, usize> {
        let count = |things: &Ids| things.values().map(BTreeSet::len).sum();
        let owners = self.things.iter();
        owners
            .map(|(owner, ids)| (owner.clone(), count(ids)))
            .collect()
    }

    /// The records that add up to this again, but for what `is_told` says is told by others.
    pub(super) fn each_record(
        &self,
        is_told: impl Fn(&Owner, &Addr, &ResourceId) -> bool,
        mut write: impl FnMut(Record),
    ) {
        for ((owner, site), account) in &self.accounts {
            write(Record::Account(wire::Account {
                owner: owner.to_string(),
                site: site.to_string(),
                account: account.clone(),
            }));
        }
        for (owner, things) in &self.things {
            for (addr, ids) in things {
                let ids = ids.iter().filter(|id| !is_told(owner, addr, id));
                let ids: Vec<&ResourceId> = ids.collect();
                for ids in ids.chunks(IDS_MAX) {
                    write(known(owner, addr, ids.iter().copied()));
                }
            }
        }
        for ((owner, addr), ids) in &self.released {
            for (id, generation) in ids {
                write(released(owner, addr, *generation, [id]));
            }
        }
    }
}
