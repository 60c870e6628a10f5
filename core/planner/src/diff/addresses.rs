//! How many addresses subnets have left for machines that come while others are still there.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use strat_model::{Addr, Kind, MachineSpec, Name, ResourceId, SiteFacts, Spec};

use crate::plan::{Action, Change};
use crate::{Desired, InventoryIndex};

/// The addresses that are left in the subnets that are there and stay.
///
/// In a subnet that is yet to be made there is nothing but what placement has put there, so that it
/// has room at every moment.
#[derive(Debug, Default)]
pub(super) struct Addresses<'a> {
    left: BTreeMap<Addr, i64>,
    names: FxHashMap<(&'a Name, &'a ResourceId), &'a Addr>,
}

impl<'a> Addresses<'a> {
    /// Those of the subnets that some change puts a machine into.
    pub(super) fn now(
        changes: &[Change],
        desired: &'a Desired,
        facts: &BTreeMap<Name, SiteFacts>,
        index: &InventoryIndex<'a>,
    ) -> Self {
        let makes = |change: &&Change| matches!(change.action, Action::Create | Action::Replace);
        let made: BTreeSet<&Addr> = changes
            .iter()
            .filter(makes)
            .filter(|change| change.kind == Kind::Subnet)
            .map(|change| &change.addr)
            .collect();
        let mut all = Self::default();
        for change in changes.iter().filter(makes) {
            for goal in &change.goals {
                let Spec::Machine(machine) = &goal.spec else {
                    continue;
                };
                let addr = &machine.subnet;
                if all.left.contains_key(addr) || made.contains(addr) {
                    continue;
                }
                let seen = index.at(addr).first();
                let entry = desired.entries.get_key_value(addr);
                if let (Some(seen), Some((addr, entry))) = (seen, entry)
                    && let Some(facts) = facts.get(&addr.site)
                    && let Spec::Subnet(is) = &seen.spec
                {
                    let ranges = entry.goals.iter().filter_map(|goal| match &goal.spec {
                        Spec::Subnet(subnet) => Some(subnet.cidr),
                        _ => None,
                    });
                    let prefixes = ranges.chain([is.cidr]).map(|range| range.prefix_len());
                    let reserved = &facts.capabilities.reserved_addresses;
                    let usable = prefixes.map(|prefix| reserved.usable(prefix)).min();
                    let has_none = desired.full.contains(addr);
                    let usable = usable.filter(|_| !has_none).unwrap_or(0);
                    let left = i64::try_from(usable).unwrap_or(i64::MAX);
                    all.left.insert(addr.clone(), left);
                    all.names.insert((&addr.site, &seen.id), addr);
                }
            }
        }
        if !all.left.is_empty() {
            for (site, machine) in index.machines() {
                if let Some(left) = all.of_seen(site, machine).and_then(|a| all.left.get_mut(a)) {
                    *left = left.saturating_sub(1).max(0);
                }
            }
        }
        all
    }

    /// The subnet that a machine which is to be has its address in, if its addresses are counted.
    pub(super) fn of_goal<'m>(&self, machine: &'m MachineSpec<Addr>) -> Option<&'m Addr> {
        let is_counted = self.left.contains_key(&machine.subnet);
        is_counted.then_some(&machine.subnet)
    }

    /// The subnet that a machine which was seen has its address in, if its addresses are counted.
    pub(super) fn of_seen(
        &self,
        site: &Name,
        machine: &MachineSpec<ResourceId>,
    ) -> Option<&'a Addr> {
        // The map borrows from the inventory; a key that borrows from elsewhere finds in it too.
        let names: &FxHashMap<(&Name, &ResourceId), &'a Addr> = &self.names;
        names.get(&(site, &machine.subnet)).copied()
    }

    /// How many are left in a subnet; `None` where that is not counted.
    pub(super) fn left(&self, subnet: &Addr) -> Option<i64> {
        self.left.get(subnet).copied()
    }

    /// Whether there are as many as machines take at most.
    pub(super) fn cover(&self, taken: &BTreeMap<Addr, i64>) -> bool {
        let mut taken = taken.iter();
        taken.all(|(subnet, taken)| self.left.get(subnet).is_none_or(|left| taken <= left))
    }

    /// Counts machines in. What is below zero gives nothing back: it is not free yet.
    pub(super) fn take(&mut self, taken: &BTreeMap<Addr, i64>) {
        for (subnet, taken) in taken {
            if let Some(left) = self.left.get_mut(subnet) {
                *left -= (*taken).max(0);
            }
        }
    }

    /// Counts out what goes before anything comes.
    pub(super) fn give(&mut self, subnet: &Addr) {
        if let Some(left) = self.left.get_mut(subnet) {
            *left += 1;
        }
    }
}
