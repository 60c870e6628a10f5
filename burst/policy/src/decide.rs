//! The decision.

use jiff::Timestamp;
use strat_model::burst::{BurstPolicy, LostThen};

use crate::apart::{Goal, grow_apart};
use crate::budget::Budget;
use crate::decision::{Action, Counts, Decision, FORMAT_VERSION, Limit, Moving, Op};
use crate::inputs::{Inputs, Machine, State};
use crate::needs::needs;
use crate::place::{come_home, grow, is_bought};
use crate::policy::Policy;
use crate::release::{Going, release, shrink};
use crate::spread::Spread;
use crate::target::{Target, target};

/// The shortest time after which a machine that is not ready is late, in seconds.
const LATE_S: u64 = 600;

/// Decides what is to be done at an instant.
///
/// A pure function: the same policy and inputs give the same decision, to the byte of its JSON.
///
/// Where rules collide, the stronger first: a pause; no delete while a site is unseen; the budget,
/// which makes nothing and deletes nothing; `max`; the limits of disruption; `min`; windows; the other
/// needs.
#[must_use]
pub fn decide(policy: &Policy, inputs: &Inputs) -> Decision {
    let settings = policy.settings();
    let ahead_s = boot_s(inputs) + settings.interval_s;
    let late_s = LATE_S.max(3 * boot_s(inputs));
    let (counts, late, spread) = count(settings, inputs, late_s);
    let moving = moving(settings, inputs);
    // What is lost in the worst loss that is to be survived does not count.
    let have = counts.have().saturating_sub(moving.left + spread.lost());
    let needs = needs(policy, inputs, have, ahead_s);
    let target = target(policy, inputs, have, &needs);
    let mut done = Done {
        budget: Budget::new(policy, inputs),
        moving,
        going: Going::new(spread, target.want),
        limits: Vec::new(),
    };
    if inputs.paused {
        done.limits.push(limit("pause", target.want, have));
    } else {
        let may_shrink = needs.may_shrink;
        done.act(policy, inputs, &counts, &late, have, (&target, may_shrink));
    }
    let mut limits = target.limits;
    limits.extend(done.limits);
    limits.extend(done.going.limits);
    let mut alarms = needs.alarms;
    alarms.extend(done.going.alarms);
    let held = target.want != have || !needs.may_shrink;
    let steps = done.going.steps;
    let has = |ops: &[Op]| steps.iter().any(|step| ops.contains(&step.op));
    let action = if has(&[Op::Create, Op::Resume, Op::Preempt]) {
        Action::Up
    } else if has(&[Op::Drain]) {
        Action::Down
    } else if held {
        Action::Hold
    } else {
        Action::None
    };
    let windows = needs.window.into_iter();
    Decision {
        format_version: FORMAT_VERSION,
        burst: settings.name.clone(),
        at: inputs.at,
        epoch: inputs.epoch,
        signals: needs.reports,
        inventory: counts,
        needs: needs.needs.into_iter().chain(windows).collect(),
        need: target.need,
        want: target.want,
        decided_by: target.decided_by,
        limits,
        action,
        steps,
        moving: done.moving,
        cost: done.budget.cost(),
        alarms,
    }
}

/// What is being done.
struct Done {
    budget: Budget,
    moving: Moving,
    going: Going,
    limits: Vec<Limit>,
}

impl Done {
    fn act(
        &mut self,
        policy: &Policy,
        inputs: &Inputs,
        counts: &Counts,
        late: &[&Machine],
        have: u32,
        (target, may_shrink): (&Target, bool),
    ) {
        let settings = policy.settings();
        let want = target.want;
        if self.going.spread.is_kept() {
            self.act_apart(policy, inputs, counts, late, have, (target, may_shrink));
        } else if want > have {
            // Never above max, whatever counts as there: machines that move count twice.
            let space = settings.max.saturating_sub(counts.have());
            let missing = (want - have).min(space);
            let found = grow(policy, inputs, missing, late, &mut self.budget);
            self.going.steps.extend(found.steps);
            self.limits.extend(found.limits);
        } else if want < have {
            shrink(
                settings,
                inputs,
                counts,
                have - want,
                false,
                &mut self.going,
            );
        } else {
            let space = settings.max.saturating_sub(counts.have());
            let spare = space.min(settings.down.at_once);
            let steps = come_home(policy, inputs, spare, &mut self.budget, &mut self.moving);
            self.going.steps.extend(steps);
        }
        self.send_off(settings, inputs, counts, want);
        release(settings, inputs, late, &mut self.going);
    }

    /// The same where a loss is to be survived: nothing moves home by itself, but what is bought goes first.
    fn act_apart(
        &mut self,
        policy: &Policy,
        inputs: &Inputs,
        counts: &Counts,
        late: &[&Machine],
        have: u32,
        (target, may_shrink): (&Target, bool),
    ) {
        let settings = policy.settings();
        let want = target.want;
        if want > have {
            let space = settings.max.saturating_sub(counts.have());
            let mut spread = self.going.spread.clone();
            let goal = Goal { want, space };
            let found = grow_apart(policy, inputs, goal, late, &mut self.budget, &mut spread);
            self.going.steps.extend(found.steps);
            self.limits.extend(found.limits);
            if let Some(worst) = spread.worst().filter(|_| spread.left() < want) {
                self.going.alarms.push(format!(
                    "if {worst} were lost, {} machines would be left, and {want} are needed",
                    spread.left()
                ));
            }
            return;
        }
        // What is there beyond that costs money and survives nothing.
        let surplus = self.going.spread.surplus(want);
        let grows_soon = target.limits.iter().any(|limit| limit.by == "up.after");
        if surplus > 0 && may_shrink && !grows_soon {
            shrink(settings, inputs, counts, surplus, false, &mut self.going);
        }
    }

    /// Tells bought machines to go whose successors on owned hardware are ready.
    fn send_off(&mut self, settings: &BurstPolicy, inputs: &Inputs, counts: &Counts, want: u32) {
        let before = self.moving.left.saturating_sub(self.moving.made);
        let ready = counts.ready.saturating_sub(self.going.told);
        let over = before.min(ready.saturating_sub(want));
        if over == 0 || self.going.told > 0 {
            return;
        }
        shrink(settings, inputs, counts, over, true, &mut self.going);
        self.moving.gone = self.going.told;
        self.moving.left -= self.moving.gone;
    }
}

fn limit(by: &str, from: u32, to: u32) -> Limit {
    let by = by.to_owned();
    Limit { by, from, to }
}

/// The time that a machine takes to be ready: the longest of what can be had, so that what is
/// foreseen is foreseen early enough.
fn boot_s(inputs: &Inputs) -> u64 {
    let offers = inputs.offers.iter().filter(|offer| offer.room != Some(0));
    offers.map(|offer| offer.boot_p90_s).max().unwrap_or(0)
}

/// Moves that are under way, as far as there still is somebody who moves.
fn moving(settings: &BurstPolicy, inputs: &Inputs) -> Moving {
    if settings.survive.is_some() {
        return Moving::default();
    }
    let bought = inputs.machines.iter().filter(|machine| is_bought(machine));
    let bought = u32::try_from(bought.count()).unwrap_or(u32::MAX);
    Moving {
        made: 0,
        gone: 0,
        left: inputs.history.moving.min(bought),
    }
}

/// Counts what there is, and finds what should have been ready by now.
fn count<'a>(
    settings: &BurstPolicy,
    inputs: &'a Inputs,
    late_s: u64,
) -> (Counts, Vec<&'a Machine>, Spread) {
    let mut counts = Counts::default();
    let mut spread = Spread::new(settings.survive);
    let mut late = Vec::new();
    let since = |at: Timestamp| inputs.at.duration_since(at).as_secs();
    let longer = |at, than: u64| since(at) >= i64::try_from(than).unwrap_or(i64::MAX);
    for machine in &inputs.machines {
        let site = machine.place.site.as_str();
        match counts.by_site.get_mut(site) {
            Some(count) => *count += 1,
            None => {
                counts.by_site.insert(site.to_owned(), 1);
            }
        }
        let before = counts.have();
        let draining = matches!(machine.state, State::Draining { .. });
        if draining {
            counts.draining += 1;
        } else if let Some(unseen) = inputs.unseen.get(site) {
            let replaced =
                settings.lost.then == LostThen::Replace && longer(*unseen, settings.lost.after_s);
            counts.unseen += u32::from(!replaced);
        } else if machine.reclaimed {
            // The replacement starts at the notice, not when the machine is gone.
        } else if machine.state != State::Pending {
            counts.ready += 1;
        } else if longer(machine.made, late_s) {
            counts.late += 1;
            late.push(machine);
        } else {
            counts.pending += 1;
        }
        if counts.have() > before {
            spread.add(site, &machine.place.zone);
        }
    }
    (counts, late, spread)
}
