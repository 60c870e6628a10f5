//! What goes while something like it comes: it may only have been renamed.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Addr, Field, LocalAddr, Noun, Resource, Spec};

use super::value::{field_value, plain_fields};
use crate::plan::{Action, Change, Rename};
use crate::{Goal, InventoryIndex};

/// A thing of the topology at all of its sites.
type Places<'c> = BTreeMap<&'c LocalAddr, Vec<&'c Change>>;

/// Pairs what a plan deletes with what it makes of the same kind and much the same, at the same sites.
/// Of several that are alike the first by address are paired: which was which is for people to say.
pub(super) fn renames(changes: &[Change], index: &InventoryIndex<'_>) -> Vec<Rename> {
    let of = |action| {
        let mut places = Places::new();
        for change in changes.iter().filter(|change| change.action == action) {
            places.entry(&change.addr.local).or_default().push(change);
        }
        places
    };
    let (gone, mut made) = (of(Action::Delete), of(Action::Create));
    // What is at other sites as well has moved there, or stays in part.
    let kept: BTreeSet<&LocalAddr> = changes
        .iter()
        .filter(|change| !matches!(change.action, Action::Delete | Action::Create))
        .map(|change| &change.addr.local)
        .collect();
    made.retain(|local, _| !gone.contains_key(local) && !kept.contains(local));
    let mut renames = Vec::new();
    for (from, places) in gone {
        if kept.contains(from) {
            continue;
        }
        let alike = made
            .iter()
            .find(|(to, new)| may_become(from, to) && are_alike(&places, new, index));
        if let Some(to) = alike.map(|(to, _)| *to) {
            made.remove(to);
            renames.push(Rename {
                from: from.clone(),
                to: to.clone(),
            });
        }
    }
    renames
}

/// Whether one can become the other at all: machines may join a fleet, but not leave one.
fn may_become(from: &LocalAddr, to: &LocalAddr) -> bool {
    let leaves = (from.noun, to.noun) == (Noun::Machines, Noun::Machine);
    from.noun.kind() == to.noun.kind() && !leaves
}

fn are_alike(gone: &[&Change], made: &[&Change], index: &InventoryIndex<'_>) -> bool {
    let place = |addr: &Addr| (addr.site.clone(), addr.zone.clone());
    gone.len() == made.len()
        && gone.iter().all(|old| {
            let new = made.iter().find(|new| place(&new.addr) == place(&old.addr));
            let target = old.targets.first();
            let found = target.and_then(|target| index.by_id(&old.site, &target.id));
            match (new.and_then(|new| new.goals.first()), found) {
                (Some(goal), Some(found)) => is_like(found, goal),
                _ => false,
            }
        })
}

/// Whether a thing could be changed into what is wanted by little more than its name. Its ranges,
/// rules and keys tell networks, firewalls and the like apart, and its size what holds data.
fn is_like(found: &Resource, goal: &Goal) -> bool {
    match (&found.spec, &goal.spec) {
        (Spec::Machine(is), Spec::Machine(wanted)) => {
            let notes = found.mark.as_ref().map(|mark| &mark.notes);
            let image = notes.and_then(|notes| notes.get(&Field::Image));
            (&is.machine_type, &is.zone) == (&wanted.machine_type, &wanted.zone)
                && image == goal.notes.get(&Field::Image)
        }
        (Spec::Volume(is), Spec::Volume(wanted)) => {
            (is.size, &is.zone) == (wanted.size, &wanted.zone)
        }
        (Spec::Subnet(is), Spec::Subnet(wanted)) => {
            is.cidr.prefix_len() == wanted.cidr.prefix_len()
        }
        (Spec::Firewall(is), Spec::Firewall(wanted)) => is.rules.len() == wanted.rules.len(),
        (Spec::Image(is), Spec::Image(wanted)) => is.sha256 == wanted.sha256,
        (is, wanted) => {
            let same = |field| field_value(is, field) == field_value(wanted, field);
            is.kind() == wanted.kind() && plain_fields(wanted).all(same)
        }
    }
}
