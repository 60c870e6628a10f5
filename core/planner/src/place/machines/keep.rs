//! What an intent's machines that run already keep.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use strat_model::{
    CapacityKind, Field, MachineIntent, MachineSpec, Mark, Name, Preference, Resource, ResourceId,
    ResourceState, Size, Spec,
};

use super::{Allotment, Supply, permitted_zones};
use crate::place::Placer;
use crate::place::asked::request;
use crate::place::offers::{Market, Shape};
use crate::room::disk_space;

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
            zones: self.given_zones(machine),
            shares: Vec::new(),
            missing: 0,
            new: 0,
            moved: None,
            is_scaled: self.options.scales.contains_key(&machine.common.addr),
        };
        let mut spot_left = machine.placement.spot.most(machine.count);
        let has_other = is_sold_somewhere(&allotment, supply);
        let scale = self.options.scales.get(&machine.common.addr);
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
                let here = here.filter(|r| !scale.is_some_and(|scale| scale.lets_go(site, &r.id)));
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
                let disk = disk_space(&machine.disks);
                for size in shapes(machine, &here, zone, &mut spot_left, market) {
                    let grown = size.runs.iter().filter(|is| {
                        grows(is, &size.shape, disk) || self.changes_subnet(machine, site, is)
                    });
                    let grown = u32::try_from(grown.count()).unwrap_or(u32::MAX);
                    let count = u32::try_from(size.runs.len()).unwrap_or(u32::MAX);
                    allotment.add(site, zone, &size.shape, count);
                    allotment.grow(site, zone, &size.shape, grown);
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

impl Placer<'_> {
    /// Whether a machine that runs is to be in another subnet, where it needs an address.
    fn changes_subnet(
        &self,
        machine: &MachineIntent,
        site: &Name,
        is: &MachineSpec<ResourceId>,
    ) -> bool {
        let seen = self.index.addr_of(site, &is.subnet);
        seen.is_some_and(|seen| seen.local != machine.subnet)
    }
}

impl Allotment<'_> {
    /// Whether what runs is placed together with what is new: where it matters how many are where.
    pub(super) fn is_solved_whole(&self) -> bool {
        !self.is_scaled && (self.machine.placement.survive || self.machine.placement.unit > 1)
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

/// Takes the room of what runs as it is.
fn take_rooms<'a>(allotment: &Allotment<'a>, supply: &mut Supply<'a>) {
    for share in &allotment.shares {
        let (place, stays) = ((share.site, share.zone), share.count - share.grown);
        supply.count(allotment.machine, place, &share.shape, (stays, true));
    }
}

/// Takes the room of what is to be larger than it is, and the addresses of what is to be in another
/// subnet, once all that stays as it is has its own.
/// What does not fit has no place here any more: it is looked for another, and if there is none,
/// nothing goes for it.
pub(super) fn make_room<'a>(allotment: &mut Allotment<'a>, supply: &mut Supply<'a>) {
    let disk = allotment.disk();
    let mut out = 0;
    for share in &mut allotment.shares {
        if share.grown == 0 {
            continue;
        }
        let Some(room) = supply.rooms.get(share.site) else {
            continue;
        };
        let (fits, _) = room.fits(share.shape.need(disk), share.grown);
        let facts = supply.markets.get(share.site).map(Market::facts);
        let left = facts.and_then(|facts| {
            let place = (share.site, share.zone);
            supply
                .addresses
                .left(&allotment.machine.subnet, facts, place)
        });
        let left = left.map_or(u64::MAX, |(_, left)| left);
        let fits = fits.min(u32::try_from(left).unwrap_or(u32::MAX));
        let place = (share.site, share.zone);
        supply.count(allotment.machine, place, &share.shape, (fits, true));
        out += share.grown - fits;
        share.count -= share.grown - fits;
        share.grown = fits;
    }
    allotment.missing += out;
    allotment.shares.retain(|share| share.count > 0);
}

/// Whether a machine takes more of what is bounded once it is of a size than it does now.
fn grows(is: &MachineSpec<ResourceId>, shape: &Shape, disk: u64) -> bool {
    shape.cpu > is.cpu || shape.memory > is.memory || disk > disk_space(&is.disks)
}

/// Machines that run, and the size that they have or are to have.
struct Sized<'r> {
    shape: Shape,
    runs: Vec<&'r MachineSpec<ResourceId>>,
}

/// The sizes of the machines in a zone where some run: their own, while what was asked for is the
/// same; the others become what would be chosen now.
fn shapes<'a, 'r>(
    machine: &MachineIntent,
    here: &[&'r Resource],
    zone: &'a Name,
    spot_left: &mut u32,
    market: &mut Market<'a>,
) -> Vec<Sized<'r>> {
    let asked = request(machine);
    let mut others = Vec::new();
    let mut by_type: BTreeMap<(&str, CapacityKind), Sized<'r>> = BTreeMap::new();
    for resource in here {
        let Spec::Machine(spec) = &resource.spec else {
            continue;
        };
        let notes = resource.mark.as_ref().map(|mark| &mark.notes);
        let note = |field| notes.and_then(|notes| notes.get(&field));
        let spot = spec.capacity == CapacityKind::Spot;
        // What was adopted was asked for by nobody; it does if it is large enough.
        let adopted = resource.mark.as_ref().is_some_and(Mark::is_adopted);
        let noted = note(Field::Request);
        let same = noted == Some(&asked) || (adopted && noted.is_none());
        if !same || (spot && *spot_left == 0) {
            others.push(spec);
            continue;
        }
        let given = note(Field::MachineType).unwrap_or(&spec.machine_type);
        let key = (given.as_str(), spec.capacity);
        if let Some(sized) = by_type.get_mut(&key) {
            sized.runs.push(spec);
        } else if let Some(shape) = given_shape(machine, spec, given, market) {
            let runs = vec![spec];
            by_type.insert(key, Sized { shape, runs });
        } else {
            others.push(spec);
            continue;
        }
        *spot_left -= u32::from(spot);
    }
    let mut sized: Vec<_> = by_type.into_values().collect();
    if !others.is_empty() {
        let largest = sized.iter_mut().max_by_key(|sized| sized.runs.len());
        let permanent = largest.filter(|sized| sized.shape.capacity != CapacityKind::Spot);
        match permanent {
            Some(sized) => sized.runs.append(&mut others),
            None => sized.extend(market.choose(zone, machine).map(|shape| Sized {
                shape,
                runs: others,
            })),
        }
    }
    sized
}

/// The size that a machine was given, which is what it is unless somebody resized it; `None` where that
/// is not what is asked for, or not to be had any more. The note of what was asked for is not enough:
/// what runs can be read.
fn given_shape(
    machine: &MachineIntent,
    spec: &MachineSpec<ResourceId>,
    given: &str,
    market: &Market<'_>,
) -> Option<Shape> {
    let shape = if spec.machine_type == given {
        market.running(spec)
    } else {
        market.named(&spec.zone, given, spec.capacity, machine)?
    };
    let does = match &machine.size {
        Size::AtLeast { cpu, memory } => shape.cpu >= *cpu && shape.memory >= *memory,
        Size::Type(name) => shape.machine_type == *name,
    };
    does.then_some(shape)
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
        let share = &mut allotment.shares[at];
        share.count -= 1;
        // Who has to grow goes first.
        share.grown = share.grown.saturating_sub(1).min(share.count);
        total -= 1;
    }
}
