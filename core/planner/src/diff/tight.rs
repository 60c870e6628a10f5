//! Where there is no room for the old and the new at once, and in which waves machines give way.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Addr, Kind, LocalAddr, Name, SiteFacts, Spec};

use super::addresses::Addresses;
use super::ends::{grows, in_the_end};
use crate::plan::{Action, Change, GoesFirst, ReplaceOrder, Rollout, TargetRef};
use crate::room::{Room, Usage};
use crate::waves::{Going, Group, Making, split};
use crate::{Desired, InventoryIndex};

/// How the plan's machines give way to others.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The sites where not everything that is made at once fits beside what is deleted.
    pub(super) tight: BTreeSet<Name>,
    /// The subnets that have no address for all that is in them at once, and what goes first there.
    pub(super) crowded: BTreeMap<Addr, GoesFirst>,
    /// The blocks whose machines go in waves.
    pub(super) rollouts: BTreeMap<LocalAddr, Rollout>,
}

impl Order {
    /// Whether what a change deletes goes before its successor comes, for lack of room.
    pub(super) fn turns(&self, change: &Change) -> bool {
        if let Some(rollout) = self.rollouts.get(&change.addr.local) {
            return rollout.destroy_first;
        }
        let crowded = |subnet: &Addr| self.crowded.get(subnet) == Some(&GoesFirst::All);
        let mut goals = change.goals.iter();
        self.tight.contains(&change.site)
            || goals.any(|goal| matches!(&goal.spec, Spec::Machine(to) if crowded(&to.subnet)))
    }
}

/// Finds the largest waves, up to those wanted, for which there is room.
pub(super) fn order<'a>(
    changes: &[Change],
    desired: &'a Desired,
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
) -> Order {
    let groups = groups(changes, desired);
    let space = || Space::new(changes, desired, facts, index);
    let (order, is_short) = in_space(changes, desired, &groups, space());
    if !is_short {
        return order;
    }
    // There may be addresses for whole waves once what goes without a successor is gone. In a block that
    // has no waves even so, all that goes waits for what comes elsewhere.
    let mut rolls: BTreeSet<&LocalAddr> = groups.keys().copied().collect();
    loop {
        let mut space = space();
        let freed = space.without_surplus(changes, desired, (&groups, &rolls));
        let (mut order, _) = in_space(changes, desired, &groups, space);
        let before = rolls.len();
        rolls.retain(|local| order.rollouts.contains_key(*local));
        if rolls.len() == before {
            for subnet in freed {
                order.crowded.entry(subnet).or_insert(GoesFirst::Surplus);
            }
            return order;
        }
    }
}

/// The order in a space, and whether it has no addresses for some block's waves.
fn in_space(
    changes: &[Change],
    desired: &Desired,
    groups: &BTreeMap<&LocalAddr, Group<'_>>,
    mut space: Space<'_>,
) -> (Order, bool) {
    let mut is_short = false;
    let mut order = Order::default();
    for change in changes {
        if !groups.contains_key(&change.addr.local) || change.kind != Kind::Machine {
            space.at_once(change, &mut order);
        }
    }
    for (local, group) in groups {
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
                    is_short |= space.at_once(change, &mut order);
                }
            }
        }
    }
    (order, is_short)
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

/// The room that is left at every site, and the addresses in every subnet.
pub(super) struct Space<'a> {
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
    rooms: BTreeMap<&'a Name, Room<'a>>,
    pub(super) addresses: Addresses<'a>,
    /// Whether what goes without a successor has given its addresses back already.
    surplus_is_gone: bool,
}

impl<'a> Space<'a> {
    pub(super) fn new(
        changes: &[Change],
        desired: &'a Desired,
        facts: &'a BTreeMap<Name, SiteFacts>,
        index: &'a InventoryIndex<'a>,
    ) -> Self {
        Self {
            facts,
            index,
            rooms: BTreeMap::new(),
            addresses: Addresses::now(changes, desired, facts, index),
            surplus_is_gone: false,
        }
    }

    /// Takes what goes without a successor out of its subnets, and gives those.
    fn without_surplus(
        &mut self,
        changes: &[Change],
        desired: &Desired,
        (groups, rolls): (&BTreeMap<&LocalAddr, Group<'_>>, &BTreeSet<&LocalAddr>),
    ) -> BTreeSet<Addr> {
        self.surplus_is_gone = true;
        let mut gone: Vec<(&Name, &TargetRef)> = Vec::new();
        for change in changes {
            let has_block = desired.rollouts.contains_key(&change.addr.local);
            if change.action == Action::Delete && change.kind == Kind::Machine && !has_block {
                gone.extend(change.targets.iter().map(|target| (&change.site, target)));
            }
        }
        for (_, group) in groups.iter().filter(|(local, _)| rolls.contains(*local)) {
            for going in split(group, 1, self.index).surplus {
                let site = &changes[going.change].site;
                gone.extend(going.targets.iter().map(|target| (site, *target)));
            }
        }
        let mut freed = BTreeSet::new();
        for (site, target) in gone {
            if let Some(subnet) = self.subnet_of(site, target).cloned() {
                self.addresses.give(&subnet);
                freed.insert(subnet);
            }
        }
        freed
    }

    /// The subnet whose address a machine gives back when it goes.
    pub(super) fn subnet_of(&self, site: &Name, target: &TargetRef) -> Option<&'a Addr> {
        match &self.index.by_id(site, &target.id)?.spec {
            Spec::Machine(machine) => self.addresses.of_seen(site, machine),
            _ => None,
        }
    }

    /// Whether a site has room for all this, its subnets included.
    fn covers(&mut self, site: &Name, usage: &Usage) -> bool {
        let has_room = self.room(site).is_none_or(|room| room.covers(usage));
        has_room && self.addresses.cover(&usage.addresses)
    }

    pub(super) fn room(&mut self, site: &Name) -> Option<&mut Room<'a>> {
        let (site, facts) = self.facts.get_key_value(site)?;
        let room = self.rooms.entry(site);
        Some(room.or_insert_with(|| Room::now(facts)))
    }

    /// Counts all in that a change makes, and notes where that does not fit: it comes once what goes is
    /// gone. Gives whether it is addresses that there are not enough of.
    fn at_once(&mut self, change: &Change, order: &mut Order) -> bool {
        if change.action == Action::Update {
            order.tight.extend(self.grows_at_once(change));
        }
        if !matches!(change.action, Action::Create | Action::Replace) {
            return false;
        }
        let mut fits = true;
        if let Some(room) = self.room(&change.site) {
            for goal in &change.goals {
                fits &= room.take_goal(goal);
            }
        }
        if !fits {
            order.tight.insert(change.site.clone());
        }
        let mut usage = Usage::default();
        for goal in &change.goals {
            if let Spec::Machine(machine) = &goal.spec
                && let Some(subnet) = self.addresses.of_goal(machine)
            {
                usage.add_address(subnet, goal.count.into());
            }
        }
        let left = |subnet: &Addr| self.addresses.left(subnet).unwrap_or(i64::MAX);
        let (fits, full): (BTreeMap<_, _>, BTreeMap<_, _>) = usage
            .addresses
            .into_iter()
            .partition(|(subnet, count)| *count <= left(subnet));
        self.addresses.take(&fits);
        let is_short = !full.is_empty();
        let first = full.into_keys().map(|subnet| (subnet, GoesFirst::All));
        order.crowded.extend(first);
        is_short
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
            let fits = peaks.iter().all(|(site, usage)| self.covers(site, usage));
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
            self.addresses.take(&usage.addresses);
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
        if self.surplus_is_gone {
            for usage in now.values_mut() {
                usage.addresses.clear();
            }
        }
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
            let Spec::Machine(spec) = &change.goals[making.goal].spec else {
                continue;
            };
            let usage = now.entry(change.site.clone()).or_default();
            if let Some(room) = self.room(&change.site) {
                usage.add(&room.need(spec), i64::from(making.count));
            }
            if let Some(subnet) = self.addresses.of_goal(spec) {
                usage.add_address(subnet, i64::from(making.count));
            }
        }
    }

    fn gone(&mut self, changes: &[Change], go: &[Going<'_>], now: &mut BTreeMap<Name, Usage>) {
        for going in go {
            let site = &changes[going.change].site;
            for target in &going.targets {
                let found = self.index.by_id(site, &target.id);
                let Some(Spec::Machine(spec)) = found.map(|found| &found.spec) else {
                    continue;
                };
                let usage = now.entry(site.clone()).or_default();
                if let Some(room) = self.room(site) {
                    usage.add(&room.need(spec), -1);
                }
                if let Some(subnet) = self.addresses.of_seen(site, spec) {
                    usage.add_address(subnet, -1);
                }
            }
        }
    }
}

/// Turns replacements of machines round where the old one has to go first.
pub(super) fn destroy_first(changes: &mut [Change], order: &Order) {
    for change in changes {
        let is_replaced = change.kind == Kind::Machine && change.action == Action::Replace;
        let turns = is_replaced && order.turns(change);
        if turns && change.order != Some(ReplaceOrder::DestroyFirst) {
            change.order = Some(ReplaceOrder::DestroyFirst);
            change
                .reason
                .push_str("; there is no room for both at once, so the old one goes first");
        }
    }
}
