//! What bounds the machines of several demands together.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use strat_model::Name;

use super::demand::Lane;
use super::{Allotment, Supply};
use crate::allot::Use;
use crate::room::Bound;

/// One address, as a limit counts it: a number that up to ten zones share evenly.
const ADDRESS: u64 = 2520;

/// The problem's limits.
pub(super) struct Limits<'a> {
    pub(super) left: Vec<u64>,
    /// Where each site's begin, and what they are.
    rooms: BTreeMap<&'a Name, (usize, Vec<Bound<'a>>)>,
    /// The zones that machines which never share one take, by their word.
    apart: FxHashMap<(&'a Name, &'a Name, Name), usize>,
    /// Those that are taken already.
    taken: BTreeSet<(&'a Name, &'a Name, Name)>,
    /// The addresses of subnets.
    subnets: FxHashMap<usize, usize>,
}

impl<'a> Limits<'a> {
    pub(super) fn new(supply: &Supply<'a>) -> Self {
        let mut limits = Self {
            left: Vec::new(),
            rooms: BTreeMap::new(),
            apart: FxHashMap::default(),
            taken: supply.apart.clone(),
            subnets: FxHashMap::default(),
        };
        for (site, room) in &supply.rooms {
            let (base, bounds) = (limits.left.len(), room.bounds());
            limits.left.extend(bounds.iter().map(|bound| bound.left));
            limits.rooms.insert(site, (base, bounds));
        }
        limits
    }

    /// The addresses that one machine of a lane takes: of several zones' subnets a part of each.
    fn addresses(
        &mut self,
        allotment: &Allotment<'_>,
        lane: &Lane<'a>,
        supply: &Supply<'a>,
        uses: &mut Vec<Use>,
    ) {
        let Some(market) = supply.markets.get(lane.site) else {
            return;
        };
        let (subnet, facts) = (&allotment.machine.subnet, market.facts());
        let zones = u64::try_from(lane.zones.len()).unwrap_or(u64::MAX).max(1);
        for (zone, _) in &lane.zones {
            let found = supply.addresses.left(subnet, facts, (lane.site, zone));
            let Some((number, left)) = found else {
                continue;
            };
            let limit = *self.subnets.entry(number).or_insert_with(|| {
                self.left.push(left * ADDRESS);
                self.left.len() - 1
            });
            let amount = ADDRESS.div_ceil(zones);
            match uses.iter_mut().find(|used| used.limit == limit) {
                Some(used) => used.amount = (used.amount + amount).min(ADDRESS),
                None => uses.push(Use { limit, amount }),
            }
        }
    }

    /// What one machine of a lane takes. What is kept has its room already.
    pub(super) fn uses(
        &mut self,
        allotment: &Allotment<'_>,
        lane: &Lane<'a>,
        supply: &Supply<'a>,
    ) -> Vec<Use> {
        if lane.kept.is_some() {
            return Vec::new();
        }
        let disk = allotment.disk();
        let mut uses: Vec<Use> = Vec::new();
        let (base, bounds) = match self.rooms.get(lane.site) {
            Some((base, bounds)) => (*base, bounds.as_slice()),
            None => (0, &[][..]),
        };
        for (at, bound) in bounds.iter().enumerate() {
            // Where sizes differ between the zones, the largest counts.
            let needs = lane
                .zones
                .iter()
                .map(|(_, shape)| bound.takes(shape.need(disk)));
            let amount = needs.max().unwrap_or(0);
            if amount > 0 {
                let limit = base + at;
                uses.push(Use { limit, amount });
            }
        }
        self.addresses(allotment, lane, supply, &mut uses);
        if let (Some(word), Some((zone, _))) = (
            &allotment.machine.placement.anti_affinity,
            lane.zones.first(),
        ) {
            let key = (lane.site, *zone, word.clone());
            let free = u64::from(!self.taken.contains(&key));
            let limit = *self.apart.entry(key).or_insert_with(|| {
                self.left.push(free);
                self.left.len() - 1
            });
            uses.push(Use { limit, amount: 1 });
        }
        uses
    }
}
