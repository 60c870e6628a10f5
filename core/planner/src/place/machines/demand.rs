//! From machines without a place to demands with lanes.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive as _;
use rustc_hash::FxHashMap;
use strat_model::{
    CapacityKind, HardwareIntent, LocalAddr, Name, Noun, PlacementIntent, Preference, Size, Spread,
};

use super::limits::Limits;
use super::{Allotment, Supply, permitted_zones};
use crate::allot::{self, Demand, Problem};
use crate::place::offers::Shape;

/// How many lanes of one kind of capacity a site gives to a demand.
const LANES_MAX: usize = 12;
/// Of equals, the first is best: by less than any price.
const TIE: f64 = 1e-7;

/// The demands, and what their lanes mean.
pub(super) struct Demands<'a> {
    pub(super) problem: Problem,
    /// By demand: the allotments it stands for, in order of address.
    pub(super) members: Vec<Vec<usize>>,
    /// By demand and lane.
    pub(super) lanes: Vec<Vec<Lane<'a>>>,
}

/// A way to place a machine.
#[derive(Debug, Clone)]
pub(super) struct Lane<'a> {
    pub(super) site: &'a Name,
    /// The zones, and the size that it has there. Several where they are filled evenly.
    pub(super) zones: Vec<(&'a Name, Shape)>,
    /// How many of them run here already, where that is up to the lane; `None` for a lane of new ones.
    pub(super) kept: Option<u32>,
}

impl Lane<'_> {
    fn capacity(&self) -> Option<CapacityKind> {
        self.zones.first().map(|(_, shape)| shape.capacity)
    }

    /// The mean price of an hour in US dollars, where all are known.
    fn price(&self) -> Option<f64> {
        let mut sum = 0.0;
        for (_, shape) in &self.zones {
            sum += shape.dollars()?.to_f64()?;
        }
        Some(sum / self.zones.len().max(1) as f64)
    }
}

/// What makes machines that differ in nothing else one demand.
type Alike<'a> = (
    &'a Size,
    &'a HardwareIntent,
    &'a PlacementIntent,
    u64,
    Option<(Name, Name)>,
    &'a LocalAddr,
);

/// Makes the demands of all that have machines without a place. What runs of those that are placed
/// as a whole is in lanes of its own, and no longer in their places.
pub(super) fn demands<'a>(
    allotments: &mut [Allotment<'a>],
    supply: &mut Supply<'a>,
) -> Demands<'a> {
    let mut demands = Demands {
        problem: Problem::default(),
        members: Vec::new(),
        lanes: Vec::new(),
    };
    let mut limits = Limits::new(supply);
    let mut alike: FxHashMap<Alike<'a>, usize> = FxHashMap::default();
    for (at, allotment) in allotments.iter().enumerate() {
        if allotment.missing == 0 && !allotment.is_solved_whole() {
            continue;
        }
        let machine = allotment.machine;
        if machine.common.addr.noun == Noun::Machine {
            let key = (
                &machine.size,
                &machine.hardware,
                &*machine.placement,
                allotment.disk(),
                allotment.pin.clone(),
                &machine.subnet,
            );
            if let Some(known) = alike.get(&key) {
                demands.members[*known].push(at);
                continue;
            }
            alike.insert(key, demands.members.len());
        }
        demands.members.push(vec![at]);
    }
    for members in &demands.members {
        let missing = members.iter().map(|at| allotments[*at].missing).sum();
        let first = &mut allotments[members[0]];
        let mut lanes = lanes(first, missing, supply);
        if first.is_solved_whole() {
            lanes.splice(0..0, kept_lanes(first));
        }
        let mut demand = demand(first, missing, &lanes, (supply, &mut limits));
        if members.len() > 1 && demand.spot_most > 0 {
            demand.spot_most = missing;
        }
        demands.problem.demands.push(demand);
        demands.lanes.push(lanes);
    }
    demands.problem.limits = limits.left;
    demands
}

fn demand<'a>(
    allotment: &Allotment<'a>,
    missing: u32,
    lanes: &[Lane<'a>],
    (supply, limits): (&Supply<'a>, &mut Limits<'a>),
) -> Demand {
    let machine = allotment.machine;
    let placement = &machine.placement;
    let whole = allotment.is_solved_whole();
    let unit = placement.unit.max(1);
    let want = match (whole, placement.survive) {
        (false, _) => missing,
        (true, true) => machine.count,
        (true, false) => machine.count.div_ceil(unit) * unit,
    };
    let by_zone = zones_are_lost(allotment);
    let domains = domains(lanes, by_zone);
    let most = lanes.iter().filter_map(Lane::price).fold(0.0, f64::max);
    let unknown = 2.0 * most + 1.0;
    let step = unknown + 1.0;
    let rank = |site: &Name| allotment.sites.iter().position(|s| *s == site).unwrap_or(0);
    // A site with few zones is as evenly filled as one with many.
    let mut permitted: BTreeMap<&Name, usize> = BTreeMap::new();
    for lane in lanes {
        let most = permitted.entry(lane.site).or_default();
        *most = lane.zones.len().max(*most);
    }
    let dislike = |at: usize, lane: &Lane<'_>| {
        let owned = lane.capacity() == Some(CapacityKind::Owned);
        let price = lane.price().unwrap_or(if owned { 0.0 } else { unknown });
        let place = match placement.prefer {
            Preference::Order => rank(lane.site) as f64 * step,
            Preference::Owned => f64::from(u8::from(!owned)) * step,
            Preference::Cost | Preference::Balance => 0.0,
        };
        let uneven = if placement.spread == Spread::Zone && !by_zone {
            step * 0.5 * (1.0 - lane.zones.len() as f64 / permitted[lane.site] as f64)
        } else {
            0.0
        };
        let all = place + price + uneven + TIE * at as f64;
        // What runs is kept before anything new is made, the best of it first.
        if lane.kept.is_some() {
            all / (1e6 * step)
        } else {
            all
        }
    };
    let kept_spot = lanes_spot(allotment);
    let targets = match placement.prefer {
        Preference::Balance => targets(allotment, lanes, &domains, want, whole),
        _ => BTreeMap::new(),
    };
    Demand {
        want,
        lanes: lanes
            .iter()
            .zip(&domains)
            .enumerate()
            .map(|(at, (lane, domain))| allot::Lane {
                dislike: dislike(at, lane),
                most: lane.kept.unwrap_or(u32::MAX),
                uses: limits.uses(allotment, lane, supply),
                spot: lane.capacity() == Some(CapacityKind::Spot),
                domain: *domain,
            })
            .collect(),
        spot_most: placement.spot.most(machine.count).saturating_sub(kept_spot),
        survive: placement.survive,
        unit,
        excess: if targets.is_empty() { 0.0 } else { step },
        targets,
    }
}

/// How many of what stays in its place is spot.
fn lanes_spot(allotment: &Allotment<'_>) -> u32 {
    let shares = allotment.shares.iter();
    let spot = shares.filter(|share| share.shape.capacity == CapacityKind::Spot);
    spot.map(|share| share.count).sum()
}

/// Whether it is zones whose loss is to be survived.
fn zones_are_lost(allotment: &Allotment<'_>) -> bool {
    allotment.machine.placement.survive && allotment.sites.len() <= 1
}

/// The domain of each lane.
fn domains(lanes: &[Lane<'_>], by_zone: bool) -> Vec<u32> {
    let mut known: Vec<(&Name, Option<&Name>)> = Vec::new();
    let mut numbers = Vec::new();
    for lane in lanes {
        let zone = lane
            .zones
            .first()
            .map(|(zone, _)| *zone)
            .filter(|_| by_zone);
        let key = (lane.site, zone);
        let at = known.iter().position(|k| *k == key).unwrap_or_else(|| {
            known.push(key);
            known.len() - 1
        });
        numbers.push(u32::try_from(at).unwrap_or(u32::MAX));
    }
    numbers
}

/// How many new machines each domain should have, so that with those that stay each site has its
/// weight's share.
fn targets(
    allotment: &Allotment<'_>,
    lanes: &[Lane<'_>],
    domains: &[u32],
    want: u32,
    whole: bool,
) -> BTreeMap<u32, u32> {
    let placement = &allotment.machine.placement;
    let mut sites: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for (lane, domain) in lanes.iter().zip(domains) {
        let weight = placement.weights.get(lane.site).copied().unwrap_or(1);
        let kept = if whole {
            0
        } else {
            allotment.count_at(lane.site)
        };
        sites.insert(*domain, (weight.into(), kept.into()));
    }
    sites.retain(|_, (weight, _)| *weight > 0);
    let all: u64 = sites.values().map(|(weight, _)| weight).sum();
    let heaviest = sites.values().map(|(weight, _)| *weight).max().unwrap_or(0);
    let mut open = u64::from(want);
    if placement.survive && all > heaviest {
        // What is left when the heaviest is lost is to be all that is wanted.
        open = (open * all).div_ceil(all - heaviest);
    }
    let mut targets: BTreeMap<u32, u32> = sites.keys().map(|domain| (*domain, 0)).collect();
    for _ in 0..open {
        // To the one that would be the least full for its weight.
        let least = sites.iter().min_by_key(|(domain, (weight, kept))| {
            let there = kept + u64::from(targets[*domain]) + 1;
            (there * 1_000_000 / weight, **domain)
        });
        if let Some((domain, _)) = least {
            *targets.entry(*domain).or_default() += 1;
        }
    }
    targets
}

/// The lanes of what runs, which leave its places.
fn kept_lanes<'a>(allotment: &mut Allotment<'a>) -> Vec<Lane<'a>> {
    let shares = std::mem::take(&mut allotment.shares).into_iter();
    let lanes = shares.map(|share| Lane {
        site: share.site,
        zones: vec![(share.zone, share.shape)],
        kept: Some(share.count),
    });
    lanes.collect()
}

/// The lanes for new machines.
fn lanes<'a>(allotment: &Allotment<'a>, missing: u32, supply: &mut Supply<'a>) -> Vec<Lane<'a>> {
    let placement = &allotment.machine.placement;
    let each_zone = zones_are_lost(allotment) || placement.anti_affinity.is_some();
    let mut all = Vec::new();
    for site in &allotment.sites {
        if matches!(&allotment.pin, Some((pinned, _)) if pinned != *site) {
            continue;
        }
        let Some(market) = supply.markets.get_mut(*site) else {
            continue;
        };
        // By what it takes of what is bounded: in each zone the cheapest.
        let mut kinds: BTreeMap<Kind, Vec<(&Name, Shape)>> = BTreeMap::new();
        let facts = market.facts();
        let bounded = facts.free.is_some() || !facts.quotas.is_empty();
        // Where a subnet of a zone has not enough addresses for all, the zones are counted one by one.
        let mut is_tight = false;
        for zone in permitted_zones(allotment, facts) {
            let subnet = &allotment.machine.subnet;
            if let Some((_, left)) = supply.addresses.left(subnet, facts, (*site, zone)) {
                is_tight |= left < u64::from(missing);
                if left == 0 {
                    continue;
                }
            }
            let mut shapes: Vec<Shape> = market.choices(zone, allotment.machine).to_vec();
            // A fleet grows by machines of the size that it has there, while that is on sale.
            let here = allotment.shares_in(site, zone).iter();
            let same = here.map(|share| &share.shape);
            let same: Vec<_> = same
                .filter(|shape| market.is_sold(zone, shape, allotment.machine))
                .cloned()
                .collect();
            if !same.is_empty() {
                shapes.retain(|shape| !same.iter().any(|kept| kept.capacity == shape.capacity));
                shapes.splice(0..0, same);
            }
            for shape in shapes {
                let kind = kind(&shape, bounded);
                let zones = kinds.entry(kind).or_default();
                if zones.last().is_none_or(|(last, _)| *last != zone) {
                    zones.push((zone, shape));
                }
            }
        }
        let mut lanes: Vec<Lane<'a>> = Vec::new();
        for zones in kinds.into_values() {
            let lane = |zones| Lane {
                site,
                zones,
                kept: None,
            };
            if each_zone {
                lanes.extend(zones.into_iter().map(|zone| lane(vec![zone])));
            } else if placement.spread == Spread::Zone {
                if is_tight && zones.len() > 1 {
                    lanes.extend(zones.iter().cloned().map(|zone| lane(vec![zone])));
                }
                lanes.push(lane(zones));
            } else if is_tight {
                lanes.extend(zones.into_iter().map(|zone| lane(vec![zone])));
            } else {
                let price = |(_, shape): &&(&Name, Shape)| {
                    let dollars = shape.dollars();
                    (dollars.is_none(), dollars)
                };
                // Of equals the first.
                let cheapest = zones.iter().min_by_key(price).cloned();
                lanes.extend(cheapest.map(|zone| lane(vec![zone])));
            }
        }
        if !each_zone {
            lanes.sort_by(|a, b| {
                let key = |lane: &Lane<'_>| (lane.capacity(), lane.price().is_none());
                let price = |lane: &Lane<'_>| lane.price().unwrap_or(0.0);
                key(a)
                    .cmp(&key(b))
                    .then(b.zones.len().cmp(&a.zones.len()))
                    .then(price(a).total_cmp(&price(b)))
            });
            let mut seen: BTreeMap<Option<CapacityKind>, usize> = BTreeMap::new();
            lanes.retain(|lane| {
                let seen = seen.entry(lane.capacity()).or_default();
                *seen += 1;
                *seen <= LANES_MAX
            });
        }
        all.extend(lanes);
    }
    all
}

/// What sets lanes of a site apart: the kind of capacity, and what one machine takes of what is
/// bounded.
type Kind = (
    CapacityKind,
    Option<(String, u32, strat_model::Bytes, u32, Option<String>)>,
);

fn kind(shape: &Shape, bounded: bool) -> Kind {
    let takes = bounded.then(|| {
        let (gpus, model) = (shape.gpus, shape.gpu.clone());
        (shape.family.clone(), shape.cpu, shape.memory, gpus, model)
    });
    (shape.capacity, takes)
}
