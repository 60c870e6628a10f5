//! Sites that have no room for the old and the new at once.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Kind, Name, SiteFacts};

use crate::plan::{Action, Change, ReplaceOrder};
use crate::room::Room;

/// The sites where not everything that a plan makes fits beside what it deletes.
pub(super) fn sites(changes: &[Change], facts: &BTreeMap<Name, SiteFacts>) -> BTreeSet<Name> {
    let mut rooms: BTreeMap<&Name, Room> = BTreeMap::new();
    let mut tight = BTreeSet::new();
    for change in changes {
        let Some(facts) = facts.get(&change.site) else {
            continue;
        };
        if matches!(change.action, Action::Create | Action::Replace) {
            let room = rooms
                .entry(&change.site)
                .or_insert_with(|| Room::now(facts));
            if !change.goals.iter().all(|goal| room.take_goal(goal)) {
                tight.insert(change.site.clone());
            }
        }
    }
    tight
}

/// Turns replacements of machines at tight sites round: the old one goes first.
pub(super) fn destroy_first(changes: &mut [Change], tight: &BTreeSet<Name>) {
    for change in changes {
        let turns = change.kind == Kind::Machine
            && change.action == Action::Replace
            && tight.contains(&change.site);
        if turns && change.order != Some(ReplaceOrder::DestroyFirst) {
            change.order = Some(ReplaceOrder::DestroyFirst);
            change
                .reason
                .push_str("; there is no room for both at once, so the old one goes first");
        }
    }
}
