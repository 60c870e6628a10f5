//! Where there is no room for the old and the new at once, and in which waves machines give way.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Field, Kind, LocalAddr, Name, SiteFacts, Spec};

use crate::plan::{Action, Change, ReplaceOrder, Rollout};
use crate::room::{Room, Usage};
use crate::waves::{Going, Group, Making, split};
use crate::{Desired, InventoryIndex};

/// How the plan's machines give way to others.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The sites where not everything that is made at once fits beside what is deleted.
    pub(super) tight: BTreeSet<Name>,
    /// The blocks whose machines go in waves.
    pub(super) rollouts: BTreeMap<LocalAddr, Rollout>,
}

/// Finds the largest waves, up to those wanted, for which there is room.
pub(super) fn order(
    changes: &[Change],
    desired: &Desired,
    facts: &BTreeMap<Name, SiteFacts>,
    index: &InventoryIndex<'_>,
) -> Order {
    let groups = groups(changes, desired);
    let mut space = Space {
        facts,
        index,
        rooms: BTreeMap::new(),
    };
    let mut order = Order::default();
    for change in changes {
        if !groups.contains_key(&change.addr.local) || change.kind != Kind::Machine {
            order.tight.extend(space.at_once(change));
        }
    }
    for (local, group) in &groups {
        let intent = desired.rollouts.get(*local).cloned().unwrap_or_default();
        let here = |(_, change): &&(usize, &Change)| order.tight.contains(&change.site);
        let wanted = intent.wave.of(desired.count(local));
        let found = match group.iter().find(here) {
            Some(_) => None,
            None => space.waves(changes, group, wanted),
        };
        match found {
            Some((wave, destroy_first)) => {
                let rollout = Rollout {
                    wave,
                    destroy_first,
                    health: intent.health,
                };
                order.rollouts.insert((*local).clone(), rollout);
            }
            None => {
                for (_, change) in group {
                    order.tight.extend(space.at_once(change));
                }
            }
        }
    }
    order
}

/// The changes of each block some of whose machines give way, unless something that they stand in
/// has to go before its successor comes.
fn groups<'a>(changes: &'a [Change], desired: &Desired) -> BTreeMap<&'a LocalAddr, Group<'a>> {
    let mut groups: BTreeMap<&LocalAddr, Group<'a>> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
        let counts = matches!(
            change.action,
            Action::Create | Action::Replace | Action::Delete
        );
        let local = &change.addr.local;
        if counts && change.kind == Kind::Machine && desired.rollouts.contains_key(local) {
            groups.entry(local).or_default().push((number, change));
        }
    }
    groups.retain(|_, group| {
        let goes = |(_, c): &(usize, &Change)| c.action != Action::Create;
        let turned = |(_, c): &(usize, &Change)| c.order == Some(ReplaceOrder::DestroyFirst);
        group.iter().any(goes) && !group.iter().any(turned)
    });
    groups
}

/// The room that is left at every site.
struct Space<'a> {
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
    rooms: BTreeMap<&'a Name, Room<'a>>,
}

impl<'a> Space<'a> {
    fn room(&mut self, site: &Name) -> Option<&mut Room<'a>> {
        let (site, facts) = self.facts.get_key_value(site)?;
        let room = self.rooms.entry(site);
        Some(room.or_insert_with(|| Room::now(facts)))
    }

    /// Counts all in that a change makes; gives its site if that does not fit.
    fn at_once(&mut self, change: &Change) -> Option<Name> {
        if change.action == Action::Update {
            return self.grows_at_once(change);
        }
        if !matches!(change.action, Action::Create | Action::Replace) {
            return None;
        }
        let room = self.room(&change.site)?;
        let mut fits = true;
        for goal in &change.goals {
            fits &= room.take_goal(goal);
        }
        (!fits).then(|| change.site.clone())
    }

    /// Counts in by how much a change's machines grow where they are; gives its site if that does not
    /// fit.
    fn grows_at_once(&mut self, change: &Change) -> Option<Name> {
        if !grows(change) {
            return None;
        }
        let index = self.index;
        let room = self.room(&change.site)?;
        let mut usage = Usage::default();
        in_the_end(change, room, index, &mut usage);
        let fits = room.covers(&usage);
        room.take_usage(&usage);
        (!fits).then(|| change.site.clone())
    }

    /// The largest waves that fit, and whether what goes has to go first in each; nothing if not
    /// even that helps. Counts them in.
    fn waves(&mut self, changes: &[Change], group: &Group<'_>, wanted: u32) -> Option<(u32, bool)> {
        let mut peaks = |size, destroy_first| {
            let peaks = self.peaks(changes, group, size, destroy_first);
            let fits = peaks.iter().all(|(site, usage)| {
                let room = self.room(site);
                room.is_none_or(|room| room.covers(usage))
            });
            fits.then_some(peaks)
        };
        let mut found = peaks(wanted, false).map(|peaks| (wanted, false, peaks));
        if found.is_none() {
            // Smaller waves take less room: look for the largest that fits.
            let (mut fits, mut fails) = (0, wanted);
            while fits + 1 < fails {
                let size = fits + (fails - fits) / 2;
                match peaks(size, false) {
                    Some(peaks) => {
                        fits = size;
                        found = Some((size, false, peaks));
                    }
                    None => fails = size,
                }
            }
        }
        let found = found.or_else(|| Some((wanted, true, peaks(wanted, true)?)));
        let (size, destroy_first, peaks) = found?;
        for (site, usage) in &peaks {
            if let Some(room) = self.room(site) {
                room.take_usage(usage);
            }
        }
        Some((size, destroy_first))
    }

    /// The most that a block's waves of this size take at each site at any moment, beside what runs
    /// now.
    fn peaks(
        &mut self,
        changes: &[Change],
        group: &Group<'_>,
        size: u32,
        destroy_first: bool,
    ) -> BTreeMap<Name, Usage> {
        let plan = split(group, size, self.index);
        let mut now: BTreeMap<Name, Usage> = BTreeMap::new();
        let mut peaks: BTreeMap<Name, Usage> = BTreeMap::new();
        let mut look = |now: &BTreeMap<Name, Usage>| {
            for (site, usage) in now {
                peaks.entry(site.clone()).or_default().raise_to(usage);
            }
        };
        self.gone(changes, &plan.surplus, &mut now);
        for wave in &plan.waves {
            if destroy_first {
                self.gone(changes, &wave.go, &mut now);
                self.made(changes, &wave.make, &mut now);
                look(&now);
            } else {
                self.made(changes, &wave.make, &mut now);
                look(&now);
                self.gone(changes, &wave.go, &mut now);
            }
        }
        peaks
    }

    fn made(&mut self, changes: &[Change], make: &[Making], now: &mut BTreeMap<Name, Usage>) {
        for making in make {
            let change = &changes[making.change];
            let Some(room) = self.room(&change.site) else {
                continue;
            };
            if let Spec::Machine(spec) = &change.goals[making.goal].spec {
                let usage = now.entry(change.site.clone()).or_default();
                usage.add(&room.need(spec), i64::from(making.count));
            }
        }
    }

    fn gone(&mut self, changes: &[Change], go: &[Going<'_>], now: &mut BTreeMap<Name, Usage>) {
        for going in go {
            let site = &changes[going.change].site;
            for target in &going.targets {
                let found = self.index.by_id(site, &target.id);
                if let (Some(found), Some(room)) = (found, self.room(site))
                    && let Spec::Machine(spec) = &found.spec
                {
                    let usage = now.entry(site.clone()).or_default();
                    usage.add(&room.need(spec), -1);
                }
            }
        }
    }
}

/// The changes of machines and volumes at sites that have no room for what is to be there in the
/// end, with what is said of each: what goes would have no successor. Placement has seen to the
/// whole topology; of a part of it, what would make the room may be left out.
pub(super) fn without_room(
    changes: &[Change],
    facts: &BTreeMap<Name, SiteFacts>,
    index: &InventoryIndex<'_>,
) -> BTreeMap<usize, String> {
    let mut space = Space {
        facts,
        index,
        rooms: BTreeMap::new(),
    };
    let mut ends: BTreeMap<&Name, Usage> = BTreeMap::new();
    for change in changes {
        if let Some(room) = space.room(&change.site) {
            let usage = ends.entry(&change.site).or_default();
            in_the_end(change, room, index, usage);
        }
    }
    ends.retain(|site, usage| space.room(site).is_some_and(|room| !room.covers(usage)));
    let takes = |change: &Change| {
        let comes_or_goes = matches!(
            change.action,
            Action::Create | Action::Replace | Action::Delete
        );
        matches!(change.kind, Kind::Machine | Kind::Volume) && (comes_or_goes || grows(change))
    };
    let full = changes.iter().enumerate();
    full.filter(|(_, change)| takes(change) && ends.contains_key(&change.site))
        .map(|(number, change)| {
            let site = &change.site;
            (
                number,
                format!("{site} has no room for all that is to be there in the end"),
            )
        })
        .collect()
}

/// Whether a change makes things that stay another size.
fn grows(change: &Change) -> bool {
    let sizes = [Field::MachineType, Field::Disks, Field::Size];
    let mut fields = change.fields.iter();
    change.action == Action::Update && fields.any(|change| sizes.contains(&change.field))
}

/// What a change takes of a site's room when it is done, and what it gives back.
fn in_the_end(change: &Change, room: &Room<'_>, index: &InventoryIndex<'_>, usage: &mut Usage) {
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

/// Turns replacements of machines round where the old one has to go first.
pub(super) fn destroy_first(changes: &mut [Change], order: &Order) {
    for change in changes {
        let rollout = order.rollouts.get(&change.addr.local);
        let first = match rollout {
            Some(rollout) => rollout.destroy_first,
            None => order.tight.contains(&change.site),
        };
        let turns = change.kind == Kind::Machine && change.action == Action::Replace && first;
        if turns && change.order != Some(ReplaceOrder::DestroyFirst) {
            change.order = Some(ReplaceOrder::DestroyFirst);
            change
                .reason
                .push_str("; there is no room for both at once, so the old one goes first");
        }
    }
}
