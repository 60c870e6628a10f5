//! How long machines take to boot, as it was measured.

use std::collections::BTreeMap;

use strat_burst_policy::Place;
use strat_model::CapacityKind;

/// How many boots of a place are remembered.
const KEPT: usize = 20;
/// What a boot is thought to take until one was measured, in seconds.
const OWNED_S: u64 = 60;
const BOUGHT_S: u64 = 180;

/// The name of a place in what was learnt.
pub(super) fn key(place: &Place) -> String {
    format!(
        "{}/{}/{}",
        place.site,
        place.machine_type,
        place.capacity.as_str()
    )
}

/// Notes that a boot took so long.
pub(super) fn note(boots_s: &mut BTreeMap<String, Vec<u64>>, place: &Place, took_s: u64) {
    let known = boots_s.entry(key(place)).or_default();
    known.push(took_s);
    if known.len() > KEPT {
        known.remove(0);
    }
}

/// The time that nine of ten boots keep.
pub(super) fn p90_s(boots_s: &BTreeMap<String, Vec<u64>>, place: &Place) -> u64 {
    let Some(known) = boots_s.get(&key(place)).filter(|known| !known.is_empty()) else {
        return match place.capacity {
            CapacityKind::Owned => OWNED_S,
            CapacityKind::OnDemand | CapacityKind::Spot | CapacityKind::Reserved => BOUGHT_S,
        };
    };
    let mut sorted = known.clone();
    sorted.sort_unstable();
    let at = (sorted.len() * 9).div_ceil(10).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(BOUGHT_S)
}
