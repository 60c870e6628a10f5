//! Fleets whose count a burst holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use strat_model::{Intent, LocalAddr};

use crate::{HeldCount, InventoryIndex};

/// The intent with the fleets under a burst as large as they run, from their own count up to the
/// burst's `max`; and which those are.
///
/// What is wanted is read from the marks of what runs: no file says it. Machines that an interrupted
/// rollout made beside the old ones count as well, until the burst decides again.
pub(super) fn counts<'a>(
    intent: &'a Intent,
    index: &InventoryIndex<'_>,
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
        let places = index.places(&burst.fleet).iter();
        let running: usize = places.map(|addr| index.at(addr).len()).sum();
        let running = u32::try_from(running).unwrap_or(u32::MAX);
        let (least, most) = (fleet.count, burst.policy.max.max(fleet.count));
        fleet.count = running.clamp(least, most);
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
