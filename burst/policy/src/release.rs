//! Which machines go, and what keeps them from going.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use strat_model::burst::{BurstPolicy, Overdue};

use crate::decision::{Counts, Limit, Op, Step};
use crate::inputs::{HOUR_S, Inputs, Machine, State};
use crate::place::{is_bought, push};
use crate::spread::Spread;

/// What goes.
pub(crate) struct Going {
    /// What is left, and how many are to be left after the worst loss, where one is to be survived.
    pub(crate) spread: Spread,
    pub(crate) want: u32,
    pub(crate) steps: Vec<Step>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) alarms: Vec<String>,
    /// How many were told to go.
    pub(crate) told: u32,
}

/// Tells `surplus` machines to go, as far as the guards let them. With `bought_only`, none of our
/// own hardware.
pub(crate) fn shrink(
    settings: &BurstPolicy,
    inputs: &Inputs,
    counts: &Counts,
    surplus: u32,
    bought_only: bool,
    going: &mut Going,
) {
    let guarded = guards(settings, inputs, counts, surplus, going);
    let mut machines: Vec<&Machine> = inputs
        .machines
        .iter()
        .filter(|machine| may_go(machine, settings, inputs.at))
        .filter(|machine| !bought_only || is_bought(machine))
        .collect();
    let mut zones: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for machine in &machines {
        *zones.entry(zone(machine)).or_default() += 1;
    }
    for told in 0..guarded {
        let first = machines
            .iter()
            .enumerate()
            .filter(|(_, machine)| going.may_spare(machine))
            .min_by(|(_, a), (_, b)| order(a, b, &zones, inputs.at))
            .map(|(at, _)| at);
        let Some(first) = first else {
            let by = match machines.is_empty() {
                true => "down.min_age",
                false => "survive",
            };
            going.limit(by, surplus, told);
            break;
        };
        let machine = machines.swap_remove(first);
        going.spread.take(&machine.place);
        if let Some(count) = zones.get_mut(&zone(machine)) {
            *count -= 1;
        }
        push(&mut going.steps, Op::Drain, machine);
        going.told += 1;
    }
}

impl Going {
    pub(crate) fn new(spread: Spread, want: u32) -> Self {
        Self {
            spread,
            want,
            steps: Vec::new(),
            limits: Vec::new(),
            alarms: Vec::new(),
            told: 0,
        }
    }

    fn may_spare(&self, machine: &Machine) -> bool {
        !self.spread.is_kept() || self.spread.spares(&machine.place, self.want)
    }

    fn limit(&mut self, by: &str, from: u32, to: u32) -> u32 {
        if from != to {
            let by = by.to_owned();
            self.limits.push(Limit { by, from, to });
        }
        to
    }
}

/// How many of `surplus` may be told to go.
fn guards(
    settings: &BurstPolicy,
    inputs: &Inputs,
    counts: &Counts,
    surplus: u32,
    going: &mut Going,
) -> u32 {
    if !inputs.unseen.is_empty() {
        return going.limit("unseen", surplus, 0);
    }
    let at_once = settings.down.at_once.saturating_sub(counts.draining);
    let surplus = going.limit("down.at_once", surplus, surplus.min(at_once));
    // The brake: no more than half of what there was go within an hour.
    let now = inputs.at.as_second();
    let changes = inputs.history.changes.iter();
    let hour = changes.filter(|change| change.at.as_second() > now - HOUR_S);
    let gone: u32 = hour.map(|change| change.down).sum::<u32>() + going.told;
    let before = counts.have() + gone;
    let most = (before / 2).max(1).saturating_sub(gone);
    going.limit("brake", surplus, surplus.min(most))
}

/// Whether a machine is one that can be told to go.
fn may_go(machine: &Machine, settings: &BurstPolicy, now: Timestamp) -> bool {
    let age_s = now.duration_since(machine.made).as_secs();
    let old = age_s >= i64::try_from(settings.down.min_age_s).unwrap_or(i64::MAX);
    let at_work = !matches!(machine.state, State::Draining { .. }) && !machine.reclaimed;
    at_work && (old || !machine.healthy)
}

fn zone(machine: &Machine) -> (&str, &str) {
    (&machine.place.site, &machine.place.zone)
}

/// Who goes first: what does not work, what is dearest, what is in the fullest zone, what has used
/// most of what it was billed for, what is youngest.
fn order(
    a: &Machine,
    b: &Machine,
    zones: &BTreeMap<(&str, &str), u32>,
    now: Timestamp,
) -> Ordering {
    let full = |machine: &Machine| zones.get(&zone(machine)).copied().unwrap_or(0);
    let used = |machine: &Machine| {
        let billed = i64::from(machine.place.billed_s.max(1));
        let age = now.duration_since(machine.made).as_secs().max(0);
        // In thousandths, so that increments of different lengths compare.
        (age % billed) * 1000 / billed
    };
    a.healthy
        .cmp(&b.healthy)
        .then_with(|| b.place.usd_hour.cmp(&a.place.usd_hour))
        .then_with(|| full(b).cmp(&full(a)))
        .then_with(|| used(b).cmp(&used(a)))
        .then_with(|| b.made.cmp(&a.made))
        .then_with(|| a.id.cmp(&b.id))
}

/// Releases what is empty, and what is overdue.
pub(crate) fn release(
    settings: &BurstPolicy,
    inputs: &Inputs,
    late: &[&Machine],
    going: &mut Going,
) {
    let mut due: Vec<&Machine> = Vec::new();
    for machine in late {
        going.alarms.push(format!(
            "{} was asked for at {} and is not ready: it goes, and no more of its kind are asked for",
            machine.id, machine.made
        ));
        due.push(machine);
    }
    let deadline = i64::try_from(settings.drain.deadline_s).unwrap_or(i64::MAX);
    for machine in &inputs.machines {
        let State::Draining { since, done } = machine.state else {
            continue;
        };
        let overdue = inputs.at.duration_since(since).as_secs() >= deadline;
        match (done, overdue, settings.drain.overdue) {
            (true, ..) | (false, true, Overdue::Delete) => due.push(machine),
            (false, true, Overdue::Keep) => going.alarms.push(format!(
                "{} drains since {since}, longer than it may: it stays",
                machine.id
            )),
            (false, false, _) => {}
        }
    }
    let due_count = u32::try_from(due.len()).unwrap_or(u32::MAX);
    if inputs.unseen.is_empty() {
        for machine in due {
            push(&mut going.steps, Op::Release, machine);
        }
    } else {
        going.limit("unseen", due_count, 0);
    }
}
