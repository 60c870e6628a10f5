//! From needs to the number that is wanted: the largest need, steadied and bounded.

use jiff::Timestamp;
use strat_model::burst::SignalKind;

use crate::decision::Limit;
use crate::inputs::{Inputs, NEEDS_KEPT, Needed};
use crate::needs::Needs;
use crate::policy::Policy;

/// The number that is wanted.
pub(crate) struct Target {
    /// The largest need, before anything slows it down.
    pub(crate) need: u32,
    pub(crate) want: u32,
    pub(crate) decided_by: String,
    pub(crate) limits: Vec<Limit>,
}

impl Target {
    /// Puts another number in place of the wanted one, and tells by what.
    fn set(&mut self, by: &str, to: u32) {
        if self.want != to {
            self.limits.push(Limit {
                by: by.to_owned(),
                from: self.want,
                to,
            });
            self.want = to;
        }
    }

    /// The same, and that decides it.
    fn decide(&mut self, by: &str, to: u32) {
        if self.want != to {
            self.set(by, to);
            by.clone_into(&mut self.decided_by);
        }
    }
}

/// Combines, steadies and clamps. `have` is what counts as there.
pub(crate) fn target(policy: &Policy, inputs: &Inputs, have: u32, needs: &Needs) -> Target {
    let settings = policy.settings();
    let largest = needs.needs.iter().rev().max_by_key(|need| need.machines);
    let need = match largest {
        Some(need) => need.machines,
        // Something is measured and says nothing: as many as there are.
        None if !settings.signals.is_empty() => have,
        None => 0,
    };
    let mut target = Target {
        need,
        want: need,
        decided_by: largest.map_or("min", |need| need.by.as_str()).to_owned(),
        limits: Vec::new(),
    };
    steady(policy, inputs, have, needs, &mut target);
    let floor = needs
        .window
        .as_ref()
        .filter(|window| window.machines >= settings.min);
    match floor {
        Some(window) if target.want < window.machines => target.decide(&window.by, window.machines),
        _ if target.want < settings.min => target.decide("min", settings.min),
        _ => {}
    }
    if target.want > settings.max {
        target.decide("max", settings.max);
    }
    target
}

/// What keeps the count from following every value.
fn steady(policy: &Policy, inputs: &Inputs, have: u32, needs: &Needs, target: &mut Target) {
    let settings = policy.settings();
    let (up, down) = (&settings.up, &settings.down);
    if target.want > have {
        let lasting = Past::of(inputs, up.after_s, settings.interval_s);
        target.set("up.after", lasting.least(target.want, have));
        if within_tolerance(policy, target, have) {
            target.set("tolerance", have);
        }
        target.set(
            "up.step",
            target.want.min(have.saturating_add(up.step.of(have))),
        );
        let last = inputs.history.changes.iter().rev();
        if recent(
            inputs.at,
            last.filter(|change| change.up > 0).map(|c| c.at),
            up.after_s,
        ) {
            target.set("up.after", have);
        }
    } else if target.want < have {
        let lasting = Past::of(inputs, down.after_s, settings.interval_s);
        target.set("down.after", lasting.most(target.want, have));
        if !needs.may_shrink {
            target.set("signals", have);
        }
        // Half as much again as on the way up: what one peak of noise has brought, the next valley
        // does not take.
        let percent = settings.tolerance_percent.saturating_mul(3) / 2;
        if tolerated(have - target.want, have, percent) {
            target.set("tolerance", have);
        }
        target.set(
            "down.step",
            target.want.max(have.saturating_sub(down.step.of(have))),
        );
        let last = inputs.history.changes.iter().rev();
        if recent(inputs.at, last.map(|change| change.at), down.after_s) {
            target.set("down.after", have);
        }
    }
}

/// Whether growth is left alone. What a goal for waiting or a backlog asks for is not: a tenth fewer
/// servers is many times the wait.
fn within_tolerance(policy: &Policy, target: &Target, have: u32) -> bool {
    let settings = policy.settings();
    let mut signals = settings.signals.iter();
    let by = signals.find(|signal| signal.name == target.decided_by);
    let exact = by.is_some_and(|signal| {
        matches!(
            signal.means,
            SignalKind::Wait(_) | SignalKind::Backlog { .. }
        )
    });
    let more = target.want.saturating_sub(have);
    !exact && tolerated(more, have, settings.tolerance_percent)
}

fn tolerated(difference: u32, have: u32, percent: u32) -> bool {
    u64::from(difference) * 100 <= u64::from(have) * u64::from(percent)
}

/// Whether the first of some instants, latest first, is within a time before `now`. One in the
/// future is: a clock has gone back, and nobody knows how long ago that was.
fn recent(now: Timestamp, mut at: impl Iterator<Item = Timestamp>, within_s: u64) -> bool {
    let within_s = i64::try_from(within_s).unwrap_or(i64::MAX);
    at.next()
        .is_some_and(|at| within_s > 0 && now.duration_since(at).as_secs() < within_s)
}

/// What was needed over the last `after_s` seconds.
struct Past<'a> {
    needs: &'a [Needed],
    /// Whether it is known for all of that time: after a start, or a clock that jumped, it is not.
    whole: bool,
    after_s: u64,
}

impl<'a> Past<'a> {
    fn of(inputs: &'a Inputs, after_s: u64, interval_s: u64) -> Self {
        let needs = &inputs.history.needs;
        let now = inputs.at.as_second();
        let after = i64::try_from(after_s).unwrap_or(i64::MAX);
        let interval = i64::try_from(interval_s).unwrap_or(i64::MAX);
        let since = now.saturating_sub(after);
        // A record a little later than that will do.
        let slack = interval.saturating_mul(2).min(after / 2);
        let known = known_since(needs, now, interval);
        let before = needs.partition_point(|need| need.at.as_second() <= since);
        // Where decisions are further apart than that time, the last one says what was needed in it.
        let first = before.min(needs.len().saturating_sub(1));
        Self {
            needs: needs.get(first..).unwrap_or_default(),
            whole: after_s == 0 || known <= since.saturating_add(slack),
            after_s,
        }
    }

    /// What was needed at least; never below `have`, which is all that is known of before.
    fn least(&self, now: u32, have: u32) -> u32 {
        match (self.whole, self.after_s) {
            (false, _) => have,
            (true, 0) => now,
            (true, _) => self.all().fold(now, u32::min).max(have),
        }
    }

    /// What was needed at most; never above `have`.
    fn most(&self, now: u32, have: u32) -> u32 {
        match (self.whole, self.after_s) {
            (false, _) => have,
            (true, 0) => now,
            (true, _) => self.all().fold(now, u32::max).min(have),
        }
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        self.needs.iter().map(|need| need.machines)
    }
}

/// Since when what is needed has been known without a break. A break is longer than two intervals, and than
/// twice the time that decisions usually are apart: a round that takes long, or one in a while, is none.
fn known_since(needs: &[Needed], now: i64, interval: i64) -> i64 {
    let at = |need: &Needed| need.at.as_second();
    let recent = &needs[needs.len().saturating_sub(NEEDS_KEPT)..];
    let mut gaps: Vec<i64> = recent
        .windows(2)
        .map(|two| at(&two[1]) - at(&two[0]))
        .collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    let longest = interval.max(usual).saturating_mul(2);
    let mut known = now;
    for need in needs.iter().rev() {
        if known - at(need) > longest {
            break;
        }
        known = at(need);
    }
    known
}
