//! What does not fit in the end.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Addr, Field, Kind, Name, SiteFacts, Spec};

use super::tight::Space;
use crate::plan::{Action, Change};
use crate::room::{Room, Usage};
use crate::{Desired, InventoryIndex};

/// The changes of machines and volumes at sites that have no room for what is to be there in the
/// end, and of machines in subnets that have no address for all of it, with what is said of each: what
/// goes would have no successor. Placement has seen to the whole topology; of a part of it, what would
/// make the room may be left out.
pub(super) fn without_room<'a>(
    changes: &[Change],
    desired: &'a Desired,
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
) -> BTreeMap<usize, String> {
    let mut space = Space::new(changes, desired, facts, index);
    let mut ends: BTreeMap<&Name, Usage> = BTreeMap::new();
    for change in changes {
        if let Some(room) = space.room(&change.site) {
            let usage = ends.entry(&change.site).or_default();
            in_the_end(change, room, index, usage);
        }
        if change.kind == Kind::Machine {
            let usage = ends.entry(&change.site).or_default();
            addresses_in_the_end(change, &space, usage);
        }
    }
    let crowded: BTreeSet<Addr> = ends
        .values()
        .flat_map(|usage| usage.addresses.iter())
        .filter(|(subnet, taken)| {
            // Of a subnet that was lately full nothing else is known: placement has left it out.
            let left = space.addresses.left(subnet);
            !desired.full.contains(*subnet) && left.is_some_and(|left| **taken > left)
        })
        .map(|(subnet, _)| subnet.clone())
        .collect();
    ends.retain(|site, usage| space.room(site).is_some_and(|room| !room.covers(usage)));
    let mut without = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        let comes_or_goes = matches!(
            change.action,
            Action::Create | Action::Replace | Action::Delete
        );
        let takes = matches!(change.kind, Kind::Machine | Kind::Volume);
        if !takes || !(comes_or_goes || grows(change)) {
            continue;
        }
        let mut subnets = subnets(change, &space).into_iter();
        let full = if ends.contains_key(&change.site) {
            Some(format!("{} has no room", change.site))
        } else {
            let crowded = subnets.find(|subnet| crowded.contains(*subnet));
            crowded.map(|subnet| format!("{subnet} has no address"))
        };
        if let Some(full) = full {
            let why = format!("{full} for all that is to be there in the end");
            without.insert(number, why);
        }
    }
    without
}

/// The subnets in which a change makes machines or deletes them, of those whose addresses are counted.
fn subnets<'c>(change: &'c Change, space: &Space<'c>) -> BTreeSet<&'c Addr> {
    let goes = matches!(change.action, Action::Delete | Action::Replace);
    let comes = matches!(change.action, Action::Create | Action::Replace);
    let made = change.goals.iter().filter(|_| comes);
    let made = made.filter_map(|goal| match &goal.spec {
        Spec::Machine(machine) => space.addresses.of_goal(machine),
        _ => None,
    });
    let gone = change.targets.iter().filter(|_| goes);
    let gone = gone.filter_map(|target| space.subnet_of(&change.site, target));
    made.chain(gone).collect()
}

/// What a change takes of subnets' addresses when it is done, and what it gives back.
fn addresses_in_the_end(change: &Change, space: &Space<'_>, usage: &mut Usage) {
    if matches!(change.action, Action::Delete | Action::Replace) {
        for target in &change.targets {
            if let Some(subnet) = space.subnet_of(&change.site, target) {
                usage.add_address(subnet, -1);
            }
        }
    }
    if matches!(change.action, Action::Create | Action::Replace) {
        for goal in &change.goals {
            if let Spec::Machine(machine) = &goal.spec
                && let Some(subnet) = space.addresses.of_goal(machine)
            {
                usage.add_address(subnet, goal.count.into());
            }
        }
    }
}

/// Whether a change makes things that stay another size.
pub(super) fn grows(change: &Change) -> bool {
    let sizes = [Field::MachineType, Field::Disks, Field::Size];
    let mut fields = change.fields.iter();
    change.action == Action::Update && fields.any(|change| sizes.contains(&change.field))
}

/// What a change takes of a site's room when it is done, and what it gives back.
pub(super) fn in_the_end(
    change: &Change,
    room: &Room<'_>,
    index: &InventoryIndex<'_>,
    usage: &mut Usage,
) {
    let goes = matches!(change.action, Action::Delete | Action::Replace);
    let comes = matches!(change.action, Action::Create | Action::Replace);
    for target in &change.targets {
        let Some(found) = index.by_id(&change.site, &target.id) else {
            continue;
        };
        match (
            &found.spec,
            change.goals.get(target.goal).map(|goal| &goal.spec),
        ) {
            (Spec::Machine(spec), _) if goes => usage.add(&room.need(spec), -1),
            (Spec::Volume(spec), _) if goes => usage.add_disk(spec.size, -1),
            (Spec::Machine(is), Some(Spec::Machine(to))) if change.action == Action::Update => {
                usage.add(&room.need(to), 1);
                usage.add(&room.need(is), -1);
            }
            (Spec::Volume(is), Some(Spec::Volume(to))) if change.action == Action::Update => {
                usage.add_disk(to.size, 1);
                usage.add_disk(is.size, -1);
            }
            _ => {}
        }
    }
    for goal in change.goals.iter().filter(|_| comes) {
        match &goal.spec {
            Spec::Machine(spec) => usage.add(&room.need(spec), goal.count.into()),
            Spec::Volume(spec) => usage.add_disk(spec.size, goal.count.into()),
            _ => {}
        }
    }
}
