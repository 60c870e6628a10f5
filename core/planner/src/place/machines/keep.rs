//! What an intent's machines that run already keep.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use strat_model::{
    CapacityKind, Field, MachineIntent, MachineSpec, Name, Preference, Resource, ResourceId,
    ResourceState, Spec,
};

use super::{Allotment, Supply, permitted_zones};
use crate::place::Placer;
use crate::place::offers::{Market, Shape, request};

impl<'a> Placer<'a> {
    /// Keeps what runs where it is permitted, up to the count, and takes its room.
    pub(super) fn keep(
        &self,
        machine: &'a MachineIntent,
        sites: Vec<&'a Name>,
        pin: Option<(Name, Name)>,
        supply: &mut Supply<'a>,
    ) -> Allotment<'a> {
        let mut allotment = Allotment {
            machine,
            sites,
            pin,
            shares: Vec::new(),
            missing: 0,
            new: 0,
            moved: None,
        };
        let mut spot_left = machine.placement.spot.most(machine.count);
        let has_other = is_sold_somewhere(&allotment, supply);
        for site in allotment.sites.clone() {
            let Some(market) = supply.markets.get_mut(site) else {
                continue;
            };
            if matches!(&allotment.pin, Some((pinned, _)) if pinned != site) {
                continue;
            }
            let found = self.index.at(&machine.common.addr.at(site));
            if found.is_empty() {
                continue;
            }
            for zone in permitted_zones(&allotment, market.facts()) {
                let here = found.iter().copied().filter(|r| r.zone() == Some(zone));
                let mut here: Vec<&Resource> = here.collect();
                // A broken machine is made anew in any case: elsewhere, where its zone sells nothing now.
                if has_other && !market.has(zone, machine) {
                    here.retain(|resource| resource.state != ResourceState::Failed);
                }
                if let Some(word) = &machine.placement.anti_affinity
                    && !here.is_empty()
                {
                    // Of machines that should never have shared the zone, the first stays.
                    let first = supply.apart.insert((site, zone, word.clone()));
                    here.truncate(usize::from(first));
                }
                for (count, shape) in shapes(machine, &here, zone, &mut spot_left, market) {
                    allotment.add(site, zone, &shape, count);
                }
            }
        }
        // What must survive a loss, or comes in units, is not simply cut to the count.
        if !allotment.is_solved_whole() {
            shrink(&mut allotment);
        }
        take_rooms(&allotment, supply);
        let kept: u32 = allotment.sites.iter().map(|s| allotment.count_at(s)).sum();
        allotment.missing = machine.count.saturating_sub(kept);
        allotment
    }
}

impl Allotment<'_> {
    /// Whether what runs is placed together with what is new: where it matters how many are where.
    pub(super) fn is_solved_whole(&self) -> bool {
        self.machine.placement.survive || self.machine.placement.unit > 1
    }
}

/// Whether any of the places where a machine may be sells something that would do.
fn is_sold_somewhere(allotment: &Allotment<'_>, supply: &Supply<'_>) -> bool {
    let pinned = |site: &Name| match &allotment.pin {
        Some((at, _)) => at == site,
        None => true,
    };
    let mut sites = allotment.sites.iter().filter(|site| pinned(site));
    sites.any(|site| {
        supply.markets.get(*site).is_some_and(|market| {
            let mut zones = permitted_zones(allotment, market.facts()).into_iter();
            zones.any(|zone| market.has(zone, allotment.machine))
        })
    })
}

fn take_rooms<'a>(allotment: &Allotment<'a>, supply: &mut Supply<'a>) {
    let disk = allotment.disk();
    for share in &allotment.shares {
        if let Some(room) = supply.rooms.get_mut(share.site) {
            room.take(share.shape.need(disk), share.count);
        }
    }
}

/// The sizes of the machines in a zone where some run: their own, while what was asked for is the
/// same; the others become what would be chosen now.
fn shapes<'a>(
    machine: &MachineIntent,
    here: &[&Resource],
    zone: &'a Name,
    spot_left: &mut u32,
    market: &mut Market<'a>,
) -> Vec<(u32, Shape)> {
    let asked = request(machine);
    let mut others = 0;
    let mut by_shape: BTreeMap<(&str, CapacityKind), (u32, &MachineSpec<ResourceId>)> =
        BTreeMap::new();
    for resource in here {
        let Spec::Machine(spec) = &resource.spec else {
            continue;
        };
        let note = resource
            .mark
            .as_ref()
            .and_then(|mark| mark.notes.get(&Field::Request));
        let spot = spec.capacity == CapacityKind::Spot;
        if note != Some(&asked) || (spot && *spot_left == 0) {
            others += 1;
            continue;
        }
        *spot_left -= u32::from(spot);
        let key = (spec.machine_type.as_str(), spec.capacity);
        by_shape.entry(key).or_insert((0, spec)).0 += 1;
    }
    let counts = by_shape.into_values();
    let mut shapes: Vec<_> = counts.map(|(n, spec)| (n, market.running(spec))).collect();
    if others > 0 {
        let largest = shapes.iter_mut().max_by_key(|(count, _)| *count);
        let permanent = largest.filter(|(_, shape)| shape.capacity != CapacityKind::Spot);
        match permanent {
            Some((count, _)) => *count += others,
            None => shapes.extend(market.choose(zone, machine).map(|shape| (others, shape))),
        }
    }
    shapes
}

/// Takes machines away until at most the count is left: from the place that is liked least, and of
/// equals from the fullest zone.
fn shrink(allotment: &mut Allotment<'_>) {
    let placement = &allotment.machine.placement;
    let rank: BTreeMap<&Name, usize> = allotment.sites.iter().copied().zip(0..).collect();
    let mut total: u32 = allotment.sites.iter().map(|s| allotment.count_at(s)).sum();
    while total > allotment.machine.count {
        let shares = allotment.shares.iter().enumerate();
        let worst = shares.max_by_key(|(_, share)| {
            let dollars = share.shape.dollars().unwrap_or_default();
            let owned = share.shape.capacity == CapacityKind::Owned;
            let site_key = match placement.prefer {
                Preference::Order => {
                    let rank = rank.get(share.site).copied().unwrap_or(usize::MAX);
                    (rank as u64, Default::default())
                }
                Preference::Owned => (u64::from(!owned), dollars),
                Preference::Cost => (0, dollars),
                Preference::Balance => {
                    let weight = placement.weights.get(share.site).copied().unwrap_or(1);
                    let at_site = u64::from(allotment.count_at(share.site)) * 1_000_000;
                    let full = at_site.checked_div(weight.into()).unwrap_or(u64::MAX);
                    (full, dollars)
                }
            };
            let in_zone = allotment.count_in(share.site, share.zone);
            (Reverse(share.count == 0), site_key, in_zone)
        });
        let Some((at, _)) = worst else { return };
        allotment.shares[at].count -= 1;
        total -= 1;
    }
}
