//! From counts by lane to machines in zones.

use strat_model::Name;

use super::demand::{Demands, Lane};
use super::{Allotment, Supply};
use crate::allot::Answer;
use crate::place::offers::Shape;

/// Gives every machine its place. The rooms have it from then on.
pub(super) fn lay_out<'a>(
    allotments: &mut [Allotment<'a>],
    demands: &Demands<'a>,
    answer: &Answer,
    supply: &mut Supply<'a>,
) {
    for (number, members) in demands.members.iter().enumerate() {
        let whole = allotments[members[0]].is_solved_whole();
        let mut next = members.iter().copied().peekable();
        for (lane, count) in demands.lanes[number].iter().zip(&answer.counts[number]) {
            if lane.kept.is_some() {
                let allotment = &mut allotments[members[0]];
                for (zone, shape) in lane.zones.iter().filter(|_| *count > 0) {
                    allotment.add(lane.site, zone, shape, *count);
                }
                continue;
            }
            for (zone, shape, mut count) in split(&allotments[members[0]], lane, *count, supply) {
                while let Some(at) = next.peek().copied().filter(|_| count > 0) {
                    let allotment = &mut allotments[at];
                    let taken = if whole {
                        count
                    } else {
                        count.min(allotment.missing)
                    };
                    put(allotment, lane.site, zone, shape, taken, supply);
                    count -= taken;
                    allotment.missing -= taken.min(allotment.missing);
                    if allotment.missing == 0 && !whole {
                        next.next();
                    }
                }
            }
        }
        if whole {
            allotments[members[0]].missing = answer.missing[number];
        }
    }
}

fn put<'a>(
    allotment: &mut Allotment<'a>,
    site: &'a Name,
    zone: &'a Name,
    shape: &Shape,
    count: u32,
    supply: &mut Supply<'a>,
) {
    if count == 0 {
        return;
    }
    allotment.add(site, zone, shape, count);
    allotment.new += count;
    supply.count(allotment.machine, (site, zone), shape, (count, true));
    if let Some(word) = &allotment.machine.placement.anti_affinity {
        supply.apart.insert((site, zone, word.clone()));
    }
}

/// Lays `count` machines of a lane out over its zones, each in turn into the emptiest, of equals
/// into the first.
fn split<'l, 'a>(
    allotment: &Allotment<'a>,
    lane: &'l Lane<'a>,
    count: u32,
    supply: &Supply<'a>,
) -> Vec<(&'a Name, &'l Shape, u32)> {
    if let [(zone, shape)] = lane.zones.as_slice() {
        return vec![(*zone, shape, count)];
    }
    let addresses = |zone: &Name| {
        let facts = supply.markets.get(lane.site)?.facts();
        let subnet = &allotment.machine.subnet;
        let (_, left) = supply.addresses.left(subnet, facts, (lane.site, zone))?;
        Some(left)
    };
    let mut there: Vec<(u32, u64, u32)> = lane
        .zones
        .iter()
        .map(|(zone, _)| {
            let there = allotment.count_in(lane.site, zone);
            (there, addresses(zone).unwrap_or(u64::MAX), 0)
        })
        .collect();
    for _ in 0..count {
        // A full subnet takes one only where all are full.
        let emptiest = there
            .iter_mut()
            .min_by_key(|(there, left, _)| (*left == 0, *there));
        if let Some((there, left, new)) = emptiest {
            *there += 1;
            *left = left.saturating_sub(1);
            *new += 1;
        }
    }
    let zones = lane.zones.iter().zip(there);
    zones
        .map(|((zone, shape), (_, _, new))| (*zone, shape, new))
        .collect()
}
