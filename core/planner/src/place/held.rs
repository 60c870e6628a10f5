//! Fleets whose count a burst holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use strat_model::{Intent, LocalAddr, Resource, Spec};

use crate::{HeldCount, InventoryIndex, Scale, ScalePlace};

/// The intent with the fleets under a burst as large as they run, from their own count up to the
/// burst's `max`; and which those are.
///
/// What is wanted is read from the marks of what runs: no file says it. Machines that an interrupted
/// rollout made beside the old ones count as well, until the burst decides again.
pub(super) fn counts<'a>(
    intent: &'a Intent,
    index: &InventoryIndex<'_>,
    scales: &BTreeMap<LocalAddr, Scale>,
) -> (Cow<'a, Intent>, BTreeMap<LocalAddr, HeldCount>) {
    let mut held = BTreeMap::new();
    if intent.bursts.is_empty() {
        return (Cow::Borrowed(intent), held);
    }
    let mut with = intent.clone();
    for burst in &intent.bursts {
        let mut machines = with.machines.iter_mut();
        let Some(fleet) = machines.find(|machine| machine.common.addr == burst.fleet) else {
            continue;
        };
        let (least, most) = (fleet.count, burst.policy.max.max(fleet.count));
        let runs = running(&burst.fleet, index);
        fleet.count = match scales.get(&burst.fleet) {
            Some(scale) => scaled(&burst.fleet, scale, index),
            None => runs.clamp(least, most),
        };
        // How many are where, so that a loss is survived, is up to the burst once the fleet is there.
        if fleet.placement.survive && (runs >= least || scales.contains_key(&burst.fleet)) {
            let mut placement = (*fleet.placement).clone();
            placement.survive = false;
            fleet.placement = placement.into();
        }
        let count = HeldCount {
            by: burst.policy.name.clone(),
            count: fleet.count,
            least,
            most,
        };
        held.insert(burst.fleet.clone(), count);
    }
    (Cow::Owned(with), held)
}

fn running(fleet: &LocalAddr, index: &InventoryIndex<'_>) -> u32 {
    let places = index.places(fleet).iter();
    let running: usize = places.map(|addr| index.at(addr).len()).sum();
    u32::try_from(running).unwrap_or(u32::MAX)
}

/// How many machines a decision wants: those that stay, and those that places lack.
fn scaled(fleet: &LocalAddr, scale: &Scale, index: &InventoryIndex<'_>) -> u32 {
    let places = index.places(fleet).iter();
    let stays = places.flat_map(|addr| {
        let there = index.at(addr).iter();
        there.filter(|one| !scale.lets_go(&addr.site, &one.id))
    });
    let stays = u32::try_from(stays.count()).unwrap_or(u32::MAX);
    let missing = scale.places.iter().map(|place| {
        let there = index.at(&fleet.at(&place.site)).iter();
        let same = there.filter(|one| !scale.lets_go(&place.site, &one.id) && is_at(one, place));
        let same = u32::try_from(same.count()).unwrap_or(u32::MAX);
        place.count.saturating_sub(same)
    });
    stays + missing.sum::<u32>()
}

/// Whether a machine is one of those that a place counts.
pub(super) fn is_at(one: &Resource, place: &ScalePlace) -> bool {
    let Spec::Machine(spec) = &one.spec else {
        return false;
    };
    (&spec.zone, spec.machine_type.as_str(), spec.capacity)
        == (&place.zone, place.machine_type.as_str(), place.capacity)
}
