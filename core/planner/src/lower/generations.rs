//! Which generation a new thing has.

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Addr, Inventory, MissedState, Name, Noun, Owner};

use super::Lowering;
use crate::plan::{Action, Change, Plan};
use crate::{InventoryIndex, resource_name};

/// How long the digest at the end of a thing's name is; that of a fleet's member is longer.
const DIGEST: usize = 8;

/// Names that things have, by site, which do not follow from their addresses: they were renamed, or
/// adopted.
pub(super) type Strayed<'a> = FxHashSet<(&'a Name, &'a str)>;

/// The names that have strayed, where a plan makes things that could get one of them.
pub(super) fn strayed<'a>(plan: &Plan, index: &InventoryIndex<'a>) -> Strayed<'a> {
    let makes = |change: &Change| {
        let action = matches!(change.action, Action::Create | Action::Replace);
        action && change.addr.local.noun != Noun::Machines
    };
    if index.is_empty() || !plan.changes.iter().any(makes) {
        return Strayed::default();
    }
    let mut strayed = Strayed::default();
    for (addr, found) in index.addrs() {
        let follows = |name: &str, owner: &Owner, generation: u64| match addr.local.noun {
            Noun::Machines => name
                .rsplit('-')
                .next()
                .is_some_and(|end| end.len() != DIGEST),
            _ => name == resource_name(owner, addr, generation),
        };
        let marked = found
            .iter()
            .filter_map(|one| Some((*one, one.mark.as_ref()?)));
        let off = marked.filter(|(one, mark)| !follows(&one.name, &mark.owner, mark.generation));
        strayed.extend(off.map(|(one, _)| (&addr.site, one.name.as_str())));
    }
    strayed
}

/// The highest generation of what was let go and is there still, by address.
pub(super) fn released(inventory: &Inventory) -> FxHashMap<&Addr, u64> {
    let missed = inventory.sites.values().flat_map(|seen| &seen.missed);
    let mut released = FxHashMap::default();
    for missed in missed {
        if let MissedState::Released { generation, .. } = missed.state {
            let highest = released.entry(&missed.addr).or_default();
            *highest = generation.max(*highest);
        }
    }
    released
}

impl Lowering<'_> {
    /// One more than the highest generation that is there, or that was let go and is there still, or
    /// the next whose name is free: what was renamed keeps the name of the cloud that it got under its old address, and the token of the call
    /// that made it.
    pub(super) fn next_generation(&self, change: &Change) -> u64 {
        let found = self.index.at(&change.addr).iter();
        let marks = found.filter_map(|found| found.mark.as_ref());
        let there = marks.map(|mark| mark.generation).max().unwrap_or(0);
        let let_go = self.released.get(&change.addr).copied().unwrap_or(0);
        let mut next = there.max(let_go) + 1;
        let is_taken = |generation: u64| {
            let name = resource_name(&self.plan.topology, &change.addr, generation);
            let site = &change.site;
            self.strayed
                .iter()
                .any(|(at, other)| *at == site && *other == name)
        };
        while !self.strayed.is_empty() && is_taken(next) {
            next += 1;
        }
        next
    }
}
