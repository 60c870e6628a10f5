//! An inventory, ready to be asked: what is at an address, whose id is this.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use rustc_hash::FxHashMap;
use strat_model::{
    Addr, Found, Inventory, LocalAddr, MachineSpec, Name, Noun, Owner, Resource, ResourceId,
    ResourceState, Spec, Witness,
};

use crate::claims::{self, Stranger};
use crate::left::Reason;

/// What of an inventory is ours, by address and by id.
#[derive(Debug)]
pub struct InventoryIndex<'a> {
    by_addr: FxHashMap<&'a Addr, Vec<&'a Resource>>,
    by_id: FxHashMap<(&'a Name, &'a ResourceId), &'a Resource>,
    /// What is going away already, and is not gone.
    going: Vec<(&'a Name, &'a Resource)>,
    sites_of: FxHashMap<&'a LocalAddr, Vec<&'a Addr>>,
    unmarked: FxHashMap<(&'a Name, &'a str), Vec<&'a Resource>>,
    /// What carries the owner's mark and is not the owner's.
    strangers: Vec<Stranger<'a>>,
    /// Addresses that are left alone, and why.
    held: FxHashMap<&'a Addr, Reason>,
    /// What others own and is only referred to: at no address of ours, so that nothing is ever done to it.
    given: BTreeMap<Addr, &'a Resource>,
    lookups: BTreeMap<(&'a Name, &'a LocalAddr), &'a Found>,
    /// Of networks of others: the ranges that others have in them.
    taken: BTreeMap<Addr, &'a [Ipv4Net]>,
}

impl<'a> InventoryIndex<'a> {
    /// Indexes what carries a mark of `owner`, is what its mark says, and is not going away.
    ///
    /// Of several things at one address, the highest generation comes first, then the smallest id.
    /// What is a copy is no thing of the owner's, and is at no address.
    #[must_use]
    pub fn new(inventory: &'a Inventory, owner: &Owner) -> Self {
        let mut by_addr: FxHashMap<&Addr, Vec<&Resource>> = FxHashMap::default();
        let mut by_id = FxHashMap::default();
        let mut unmarked: FxHashMap<_, Vec<_>> = FxHashMap::default();
        let mut going = Vec::new();
        for (site, resource) in inventory.resources() {
            if resource.state == ResourceState::Deleting {
                going.push((site, resource));
                continue;
            }
            by_id.insert((site, &resource.id), resource);
            match &resource.mark {
                Some(mark) if owner.owns(&mark.owner) && mark.addr.site == *site => {
                    by_addr.entry(&mark.addr).or_default().push(resource);
                }
                Some(_) => {}
                None => {
                    let name = (site, resource.name.as_str());
                    unmarked.entry(name).or_default().push(resource);
                }
            }
        }
        for found in by_addr.values_mut() {
            found.sort_by(|a, b| {
                let generation = |r: &Resource| r.mark.as_ref().map_or(0, |mark| mark.generation);
                generation(b)
                    .cmp(&generation(a))
                    .then_with(|| a.id.cmp(&b.id))
            });
        }
        let mut strangers = Vec::new();
        let mut held = FxHashMap::default();
        // Nearly always one thing with a witness: then there is nothing to judge.
        let clear = |found: &[&Resource]| {
            let seen = |one: &&Resource| one.state != ResourceState::Unseen;
            let right = matches!(found, [one] if !matches!(one.witness, Witness::Refuted { .. }))
                || found.iter().all(|one| one.witness.is_held()) && generations_differ(found);
            right && found.iter().all(seen)
        };
        for (addr, found) in &mut by_addr {
            if !clear(found) {
                let (copies, why) = claims::judge(addr, found);
                strangers.extend(copies);
                held.extend(why.map(|why| (*addr, why.into())));
            }
        }
        by_addr.retain(|_, found| !found.is_empty());
        strangers.sort_by_key(|one| (one.site, &one.resource.id));
        held.extend(claims::held(inventory, |addr| by_addr.contains_key(addr)));
        let mut sites_of: FxHashMap<&LocalAddr, Vec<&Addr>> = FxHashMap::default();
        for addr in by_addr.keys() {
            sites_of.entry(&addr.local).or_default().push(addr);
        }
        for places in sites_of.values_mut() {
            places.sort_unstable();
        }
        let lookups = inventory.sites.iter();
        let lookups = lookups.flat_map(|(site, seen)| seen.lookups.iter().map(move |l| (site, l)));
        let outcomes = lookups
            .clone()
            .map(|(site, one)| ((site, &one.addr), &one.found));
        let outcomes = outcomes.collect();
        let taken = lookups
            .clone()
            .filter_map(|(site, lookup)| match &lookup.found {
                Found::Things { taken, .. } => Some((lookup.addr.at(site), taken.as_slice())),
                _ => None,
            });
        let taken = taken.collect();
        let given = lookups.flat_map(|(site, lookup)| lookup.things(site));
        Self {
            by_addr,
            by_id,
            going,
            sites_of,
            unmarked,
            strangers,
            held,
            given: given.collect(),
            lookups: outcomes,
            taken,
        }
    }

    /// Everything that others own and is only referred to, by what the topology calls it.
    pub(crate) const fn given(&self) -> &BTreeMap<Addr, &'a Resource> {
        &self.given
    }

    /// What came of looking for something of others at a site.
    pub(crate) fn lookup(&self, site: &Name, local: &LocalAddr) -> Option<&'a Found> {
        self.lookups.get(&(site, local)).copied()
    }

    /// The ranges in a network of others that have subnets of others.
    pub(crate) fn taken(&self, network: &Addr) -> &[Ipv4Net] {
        self.taken.get(network).copied().unwrap_or_default()
    }

    /// What others own under a local address: one thing, or of subnets one a zone.
    pub(crate) fn given_as<'s>(
        &'s self,
        local: &'s LocalAddr,
    ) -> impl Iterator<Item = (&'s Addr, &'a Resource)> {
        let given = self.given.iter();
        given
            .filter(move |(addr, _)| addr.local == *local)
            .map(|(addr, thing)| (addr, *thing))
    }

    /// The address that an id stands for, ours or one by which something of others is referred to: of
    /// several, that which is meant.
    pub(crate) fn name_of(
        &self,
        site: &Name,
        id: &ResourceId,
        is_meant: impl Fn(&Addr) -> bool,
    ) -> Option<&Addr> {
        if let Some(own) = self.addr_of(site, id) {
            return Some(own);
        }
        let given = self.given.iter();
        let mut names = given.filter(|(addr, thing)| addr.site == *site && thing.id == *id);
        let first = names.clone().next();
        let meant = names.find(|(addr, _)| is_meant(addr));
        meant.or(first).map(|(addr, _)| addr)
    }

    /// Every address that is left alone, sorted, and why: see [`crate::claims`].
    pub(crate) fn all_held(&self) -> BTreeMap<&'a Addr, &Reason> {
        let held = self.held.iter();
        held.map(|(addr, why)| (*addr, why)).collect()
    }

    /// What carries the owner's mark and is not the owner's, sorted by site and id.
    pub(crate) fn strangers(&self) -> &[Stranger<'a>] {
        &self.strangers
    }

    /// What is at an address.
    #[must_use]
    pub fn at(&self, addr: &Addr) -> &[&'a Resource] {
        self.by_addr.get(addr).map_or(&[], Vec::as_slice)
    }

    /// Every address at which something is, in no order.
    pub fn addrs(&self) -> impl Iterator<Item = (&'a Addr, &[&'a Resource])> {
        self.by_addr
            .iter()
            .map(|(addr, found)| (*addr, found.as_slice()))
    }

    /// The addresses (one a site and zone) of a local address at which something is.
    #[must_use]
    pub fn places(&self, local: &LocalAddr) -> &[&'a Addr] {
        self.sites_of.get(local).map_or(&[], Vec::as_slice)
    }

    /// What has this id at a site, ours or not.
    #[must_use]
    pub fn by_id(&self, site: &Name, id: &ResourceId) -> Option<&'a Resource> {
        self.by_id.get(&(site, id)).copied()
    }

    /// Every machine that was seen, ours or not, in no order; those too that are going away.
    pub(crate) fn machines(&self) -> impl Iterator<Item = (&'a Name, &'a MachineSpec<ResourceId>)> {
        let there = self.by_id.iter().map(|((site, _), found)| (*site, *found));
        let all = there.chain(self.going.iter().copied());
        all.filter_map(|(site, found)| match &found.spec {
            Spec::Machine(machine) => Some((site, machine)),
            _ => None,
        })
    }

    /// What has this name at a site and no mark.
    pub(crate) fn unmarked(&self, site: &Name, name: &str) -> Vec<&'a Resource> {
        // The map borrows from the inventory; a key that borrows from elsewhere finds in it too.
        let unmarked: &FxHashMap<(&Name, &str), Vec<&'a Resource>> = &self.unmarked;
        unmarked.get(&(site, name)).cloned().unwrap_or_default()
    }

    /// Whether there is anything without a mark.
    pub(crate) fn has_unmarked(&self) -> bool {
        !self.unmarked.is_empty()
    }

    /// The address that an id stands for: that of the thing which represents its address.
    #[must_use]
    pub fn addr_of(&self, site: &Name, id: &ResourceId) -> Option<&'a Addr> {
        let resource = self.by_id(site, id)?;
        let addr = &resource.mark.as_ref()?.addr;
        let found = self.by_addr.get(addr)?;
        if self.strangers.iter().any(|one| one.resource.id == *id) {
            return None;
        }
        let represents = found.len() > 1 && addr.local.noun != strat_model::Noun::Machines;
        (!represents || found[0].id == *id).then_some(addr)
    }

    /// How many of our things there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_addr.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_addr.is_empty()
    }
}

/// Whether no two things of one address, sorted by generation, have the same; those of a fleet may.
fn generations_differ(found: &[&Resource]) -> bool {
    let generation = |one: &&Resource| one.mark.as_ref().map_or(0, |mark| mark.generation);
    let of_fleet = found.first().is_some_and(|one| {
        let mark = one.mark.as_ref();
        mark.is_some_and(|mark| mark.addr.local.noun == Noun::Machines)
    });
    of_fleet
        || found
            .windows(2)
            .all(|pair| generation(&pair[0]) != generation(&pair[1]))
}
