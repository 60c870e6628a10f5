//! Filling a site with what is missing.

use strat_model::{Name, SiteFacts, Spread};

use super::reasons::no_offer;
use super::{Allotment, Share, Supply, permitted_zones};
use crate::place::offers::Shape;
use crate::room::{Full, disk_space};

/// Puts as many of the missing machines at a site as fit.
pub(super) fn fill_site<'a>(
    allotment: &mut Allotment<'a>,
    site: &'a Name,
    facts: &'a SiteFacts,
    supply: &mut Supply<'a>,
) {
    let machine = allotment.machine;
    let disk = disk_space(&machine.disks);
    let (Some(market), Some(room)) = (supply.markets.get_mut(site), supply.rooms.get_mut(site))
    else {
        return;
    };
    let pin = allotment.pin.as_ref().map(|(_, zone)| zone);
    let zones = permitted_zones(machine, facts)
        .into_iter()
        .filter(|zone| pin.is_none_or(|pin| pin == *zone));
    let here = allotment.sites.entry(site.clone()).or_default();
    let mut open: Vec<(&Name, Shape)> = Vec::new();
    for zone in zones {
        let shape = match here.get(zone) {
            // What runs there is of one type: more of it, if there is more of it.
            Some(share) => Some(share.shape.clone()).filter(|shape| market.has(zone, shape)),
            None => market.choose(zone, &machine.size),
        };
        open.extend(shape.map(|shape| (zone, shape)));
    }
    if open.is_empty() {
        allotment
            .reasons
            .push((site.clone(), no_offer(machine, facts, market)));
        return;
    }
    let spread = machine.placement.spread == Spread::Zone;
    while allotment.missing > 0 && !open.is_empty() {
        // Without spread, the first zone takes all it can; with it, the emptiest takes its step.
        let count_in = |zone: &Name| here.get(zone).map_or(0, |share| share.count);
        let i = if spread {
            (0..open.len())
                .min_by_key(|i| count_in(open[*i].0))
                .unwrap_or(0)
        } else {
            0
        };
        let want = if spread {
            let (together, _) = room.fits(open[i].1.need(disk), allotment.missing);
            step(&open, i, &count_in, together)
        } else {
            allotment.missing
        };
        let (zone, shape) = &open[i];
        let (fits, full) = room.fits(shape.need(disk), want);
        room.take(shape.need(disk), fits);
        if fits > 0 {
            let share = here.entry((*zone).clone()).or_insert_with(|| Share {
                count: 0,
                shape: shape.clone(),
            });
            share.count += fits;
            allotment.missing -= fits;
        }
        if let Some(Full(why)) = full {
            allotment.reasons.push((site.clone(), why));
            open.remove(i);
        }
    }
}

/// How many machines the emptiest zone may take at once: up to the next emptiest, or an even part
/// of what fits `together` when all are level. At least one, so that the reason is found when
/// nothing fits.
fn step(open: &[(&Name, Shape)], i: usize, count_in: &impl Fn(&Name) -> u32, together: u32) -> u32 {
    let mine = count_in(open[i].0);
    let others = open.iter().enumerate().filter(|(j, _)| *j != i);
    let want = match others.map(|(_, (zone, _))| count_in(zone)).min() {
        None => together,
        Some(next) if next > mine => (next - mine).min(together),
        Some(_) => together / u32::try_from(open.len()).unwrap_or(u32::MAX),
    };
    want.max(1)
}
