//! What a machine of each offer carries, learnt from load and from how busy machines are.
//!
//! Where there is a demand `d` while machines are `u` busy and are to be `t` busy, all of them together
//! carry `d × t / u` as they are to be. That is the sum, over offers, of how many machines there are times
//! what one of them carries: one linear equation at each instant. Each equation moves the estimates by a
//! share of the least change that fulfils it, which is the normalised least-mean-squares filter (Widrow and
//! Hoff, 1960; S. Haykin, *Adaptive Filter Theory*, chapter 6). With one offer that is a moving mean; with
//! several, the mixes that come by in the course of a day tell them apart.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::burst::SignalKind;

use crate::inputs::{Inputs, Machine, Place, Reading, State};
use crate::needs::whole;
use crate::policy::Policy;

/// The share of an equation that is taken over.
const GAIN: f64 = 0.1;
/// An offer counts as known after so many equations.
const KNOWN_AFTER: u32 = 5;
/// Busier than that, demand may wait that nobody has measured.
const FULL: f64 = 0.95;
/// How far the first estimate of an offer may be from the mean of all machines, as a factor.
const APART: f64 = 4.0;

/// What a machine of an offer carries while it is as busy as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Carried {
    /// How much.
    pub each: f64,
    /// How many instants that comes from.
    pub samples: u32,
}

/// The name of an offer in what was learnt.
fn key(place: &Place) -> String {
    let capacity = place.capacity.as_str();
    format!("{}/{}/{capacity}", place.site, place.machine_type)
}

/// Learns from one instant, if anything can be: values that are there, machines that are neither idle nor
/// full, none that starts or is being emptied, and no site that is silent.
pub(crate) fn learn(
    policy: &Policy,
    inputs: &Inputs,
    bad_since: &BTreeMap<String, Timestamp>,
    known: &mut BTreeMap<String, Carried>,
) {
    let all = carried_by_all(policy, inputs, bad_since);
    let Some(all) = all.filter(|_| inputs.unseen.is_empty()) else {
        return;
    };
    let mut working: BTreeMap<String, f64> = BTreeMap::new();
    for machine in &inputs.machines {
        match machine.state {
            State::Ready { warm: true } if machine.healthy => {
                *working.entry(key(&machine.place)).or_default() += 1.0;
            }
            State::Pending => {}
            State::Ready { .. } | State::Draining { .. } => return,
        }
    }
    let machines: f64 = working.values().sum();
    if machines < 1.0 {
        return;
    }
    let mean = all / machines;
    // An offer that is new carries what the others do not explain.
    let explained: f64 = working
        .iter()
        .filter_map(|(key, count)| known.get(key).map(|carried| count * carried.each))
        .sum();
    let fresh: f64 = working
        .iter()
        .filter(|(key, _)| !known.contains_key(*key))
        .map(|(_, count)| count)
        .sum();
    for key in working.keys() {
        known.entry(key.clone()).or_insert_with(|| Carried {
            each: ((all - explained) / fresh).clamp(mean / APART, mean * APART),
            samples: 0,
        });
    }
    let now: f64 = working
        .iter()
        .filter_map(|(key, count)| known.get(key).map(|carried| count * carried.each))
        .sum();
    let squares: f64 = working.values().map(|count| count * count).sum();
    let change = GAIN * (all - now) / squares;
    for (key, count) in &working {
        if let Some(carried) = known.get_mut(key) {
            carried.each = (carried.each + count * change).max(mean / (APART * APART));
            carried.samples = carried.samples.saturating_add(1);
        }
    }
}

/// What all machines together carry while they are as busy as they are to be, by the values of an instant.
fn carried_by_all(
    policy: &Policy,
    inputs: &Inputs,
    bad_since: &BTreeMap<String, Timestamp>,
) -> Option<f64> {
    let signals = &policy.settings().signals;
    let value = |name: &str| match inputs.signals.get(name)?.value {
        Reading::Number(value) if value.is_finite() => Some(value),
        _ => None,
    };
    let mut measured = signals.iter();
    let measured = measured.find(|signal| matches!(signal.means, SignalKind::Measured))?;
    let mut busy = signals.iter().filter_map(|signal| match signal.means {
        SignalKind::Utilisation { target } => Some((signal, target)),
        _ => None,
    });
    let (busy, target) = busy.next()?;
    if bad_since.contains_key(&measured.name) || bad_since.contains_key(&busy.name) {
        return None;
    }
    let (demand, busy) = (value(&measured.name)?, value(&busy.name)?);
    let says = demand > 0.0 && busy >= target / 2.0 && busy <= FULL;
    says.then(|| demand * target / busy)
}

/// How many machines a demand needs by what was learnt, and why; `None` where nothing was.
///
/// One machine more is thought to carry as little as the weakest that can be had, and one machine less as
/// much as the strongest that is there: so what is let go for it is not made again at once.
pub(crate) fn need(
    demand: f64,
    inputs: &Inputs,
    known: &BTreeMap<String, Carried>,
) -> Option<(u32, String)> {
    let sure = known
        .iter()
        .filter(|(_, carried)| carried.samples >= KNOWN_AFTER);
    let sure: BTreeMap<&str, f64> = sure
        .map(|(key, carried)| (key.as_str(), carried.each))
        .collect();
    let least = sure.values().copied().reduce(f64::min)?;
    // An offer of which nothing is known carries as little as the weakest.
    let each = |place: &Place| sure.get(key(place).as_str()).copied().unwrap_or(least);
    let counts =
        |machine: &&Machine| !matches!(machine.state, State::Draining { .. }) && !machine.reclaimed;
    let there = inputs.machines.iter().filter(counts);
    let mut there: Vec<f64> = there.map(|machine| each(&machine.place)).collect();
    there.sort_by(|a, b| b.total_cmp(a));
    let all: f64 = there.iter().sum();
    let machines = u32::try_from(there.len()).unwrap_or(u32::MAX);
    let machines = if demand > all {
        let offers = inputs.offers.iter().filter(|offer| offer.room != Some(0));
        let next = offers.map(|offer| each(&offer.place)).reduce(f64::min);
        machines.saturating_add(whole((demand - all) / next.unwrap_or(least)))
    } else {
        let mut left = all;
        let spare = there.iter().take_while(|each| {
            left -= **each;
            left >= demand
        });
        machines - u32::try_from(spare.count()).unwrap_or(0)
    };
    let said: Vec<String> = sure
        .iter()
        .map(|(key, each)| format!("{each:.1} by one of {key}"))
        .collect();
    Some((machines, format!("{demand}; measured: {}", said.join(", "))))
}
