//! How many machines each signal, window and forecast asks for.

use jiff::Timestamp;
use strat_model::burst::{ForecastMode, Missing, Signal, SignalKind};

use crate::decision::{Need, SignalReport, SignalState};
use crate::inputs::{Inputs, Reading, Sample, State};
use crate::policy::Policy;
use crate::{carried, queueing, windows};

/// What all signals came to.
pub(crate) struct Needs {
    pub(crate) reports: Vec<SignalReport>,
    /// What is needed, floors apart.
    pub(crate) needs: Vec<Need>,
    /// What windows ask for.
    pub(crate) window: Option<Need>,
    /// Whether the fleet may shrink, as far as signals go: each is good, or its hold is over and
    /// another is good.
    pub(crate) may_shrink: bool,
    pub(crate) alarms: Vec<String>,
}

/// The needs of one instant. `have` is what counts as there; `ahead_s` is the time that a machine takes to be ready, and the time
/// until the next decision.
pub(crate) fn needs(policy: &Policy, inputs: &Inputs, have: u32, ahead_s: u64) -> Needs {
    let settings = policy.settings();
    let judged: Vec<(&Signal, Judged)> = settings
        .signals
        .iter()
        .map(|signal| (signal, judge(signal, inputs)))
        .collect();
    let any_good = judged.iter().any(|(_, judged)| judged.good().is_some());
    let mut all = Needs {
        reports: Vec::with_capacity(judged.len()),
        needs: Vec::with_capacity(judged.len() + 1),
        window: None,
        may_shrink: true,
        alarms: Vec::new(),
    };
    for (signal, judged) in judged {
        let need = match judged.good() {
            Some(value) => capacity(signal, value, inputs, ahead_s),
            None => all.without(signal, &judged, inputs, have, settings.max, any_good),
        };
        all.reports.push(judged.report(signal, need.is_some()));
        all.needs.extend(need);
    }
    all.needs.extend(forecast(policy, inputs));
    let until = inputs.at + jiff::SignedDuration::from_secs(i64::try_from(ahead_s).unwrap_or(0));
    let asked = windows::asked(policy.windows(), inputs.at, until);
    all.window = asked.map(|(machines, name)| Need {
        by: format!("window {name}"),
        machines,
        because: format!("open within {ahead_s} s"),
    });
    all
}

/// A sample, and whether it can be relied on.
struct Judged {
    value: Option<f64>,
    age_s: Option<i64>,
    state: SignalState,
}

impl Judged {
    fn good(&self) -> Option<f64> {
        self.value.filter(|_| self.state.is_good())
    }

    fn report(&self, signal: &Signal, used: bool) -> SignalReport {
        SignalReport {
            name: signal.name.clone(),
            kind: kind(&signal.means).to_owned(),
            value: self.value,
            age_s: self.age_s,
            state: self.state,
            used,
        }
    }
}

fn kind(means: &SignalKind) -> &'static str {
    match means {
        SignalKind::Demand { .. } | SignalKind::Measured => "demand",
        SignalKind::Utilisation { .. } => "utilisation",
        SignalKind::Wait(_) => "wait",
        SignalKind::Backlog { .. } => "backlog",
    }
}

fn judge(signal: &Signal, inputs: &Inputs) -> Judged {
    let Some(Sample { value, at }) = inputs.signals.get(&signal.name).copied() else {
        return Judged {
            value: None,
            age_s: None,
            state: SignalState::Missing,
        };
    };
    let age_s = inputs.at.duration_since(at).as_secs();
    let stale_s = i64::try_from(signal.stale_s).unwrap_or(i64::MAX);
    let (value, state) = match value {
        Reading::Nothing => (None, SignalState::Missing),
        Reading::NotANumber => (None, SignalState::Nan),
        Reading::Number(value) if !value.is_finite() => (None, SignalState::Nan),
        // A sample from the future is one of a clock that is wrong, as much as an old one.
        Reading::Number(value) if age_s > stale_s || age_s < -stale_s => {
            (Some(value), SignalState::Stale)
        }
        Reading::Number(value) => {
            let (least, most) = signal.sane.unwrap_or((0.0, f64::MAX));
            let sane = (least..=most).contains(&value);
            let state = if sane {
                SignalState::Ok
            } else {
                SignalState::Insane
            };
            (Some(value), state)
        }
    };
    Judged {
        value,
        age_s: Some(age_s),
        state,
    }
}

impl Needs {
    /// What a signal without a good value asks for, and what that forbids.
    fn without(
        &mut self,
        signal: &Signal,
        judged: &Judged,
        inputs: &Inputs,
        have: u32,
        max: u32,
        any_good: bool,
    ) -> Option<Need> {
        let since = inputs.history.bad_since.get(&signal.name);
        let bad_s = since.map_or(0, |since| inputs.at.duration_since(*since).as_secs());
        let over = bad_s >= i64::try_from(signal.hold_s).unwrap_or(i64::MAX);
        let state = state_word(judged.state);
        let name = &signal.name;
        let held = format!("{name} is {state}");
        let need = |machines: u32, because: String| Need {
            by: name.clone(),
            machines,
            because,
        };
        if over {
            self.alarms.push(format!(
                "{held} for {bad_s} s: longer than it may hold the count"
            ));
        } else {
            self.alarms.push(held.clone());
        }
        match signal.missing {
            Missing::Max => {
                self.may_shrink = false;
                Some(need(max, format!("{held}: as many as there may be")))
            }
            Missing::Machines(machines) if over => Some(need(
                machines,
                format!("{held}: as many as were set for that"),
            )),
            Missing::Machines(machines) => {
                self.may_shrink = false;
                let because = format!("{held}: as many as were set for that, and none goes yet");
                Some(need(machines.max(have), because))
            }
            Missing::Hold if over && any_good => None,
            Missing::Hold => {
                self.may_shrink = false;
                Some(need(have, format!("{held}: as many as there are")))
            }
        }
    }
}

fn state_word(state: SignalState) -> &'static str {
    match state {
        SignalState::Ok => "good",
        SignalState::Missing => "missing",
        SignalState::Stale => "stale",
        SignalState::Nan => "not a number",
        SignalState::Insane => "outside of what can be true",
    }
}

/// The machines that a good value asks for; `None` where nobody knows yet what a machine carries.
fn capacity(signal: &Signal, value: f64, inputs: &Inputs, ahead_s: u64) -> Option<Need> {
    let (machines, because) = match &signal.means {
        SignalKind::Demand { each } => (whole(value / each), format!("{value} / {each} each")),
        SignalKind::Measured => carried::need(value, inputs, &inputs.history.carried)?,
        SignalKind::Utilisation { target } => {
            let warm = warm(inputs);
            // With no machine at work, how busy they are says nothing; and none would never say that
            // there is work again. So it asks for one at least.
            let machines = whole(value * f64::from(warm) / target);
            let because = format!("{value} of {warm} machines at work, {target} wanted");
            (machines.max(1), because)
        }
        SignalKind::Backlog { rate, drain_in_s } => {
            #[expect(clippy::cast_precision_loss, reason = "seconds of a time to drain in")]
            let machines = whole(value / (rate * *drain_in_s as f64));
            let because = format!("{value} to do in {drain_in_s} s, {rate}/s each");
            (machines, because)
        }
        SignalKind::Wait(goal) => {
            let now = inputs.at;
            let known = inputs.history.arrivals.get(&signal.name);
            let known = known.map_or(&[][..], Vec::as_slice);
            let load = offered(known, now, value, goal.service_s, ahead_s);
            let machines = queueing::machines_for_wait(goal, load);
            let because = format!(
                "{value}/s for {} s each: {} within {} s",
                goal.service_s, goal.share, goal.within_s
            );
            (machines, because)
        }
    };
    Some(Need {
        by: signal.name.clone(),
        machines,
        because,
    })
}

/// Machines that work and are past their start.
fn warm(inputs: &Inputs) -> u32 {
    let warm = inputs.machines.iter().filter(|machine| {
        matches!(machine.state, State::Ready { warm: true })
            && !inputs.unseen.contains_key(&machine.place.site)
    });
    u32::try_from(warm.count()).unwrap_or(u32::MAX)
}

/// The load that is offered when a machine that is asked for now is ready, if arrivals stay as they
/// are; not below that of now.
fn offered(
    known: &[crate::inputs::Arrivals],
    now: Timestamp,
    rate: f64,
    service_s: f64,
    ahead_s: u64,
) -> f64 {
    let times = known.iter().map(|arrivals| arrivals.at).skip(1);
    let ends = times.chain([now]);
    let held = known.iter().zip(ends).map(|(arrivals, end)| {
        let held_s = end.duration_since(arrivals.at).as_secs_f64();
        (held_s.max(0.0), arrivals.rate)
    });
    #[expect(clippy::cast_precision_loss, reason = "seconds of a boot")]
    let ahead = (ahead_s as f64, rate);
    let present = queueing::moving_load(held.clone().chain([(1e-9, rate)]), service_s);
    present.max(queueing::moving_load(held.chain([ahead]), service_s))
}

/// What a forecast asks for, if it counts.
fn forecast(policy: &Policy, inputs: &Inputs) -> Option<Need> {
    let (each, mode) = policy.forecast()?;
    let expected = inputs.expected?;
    if mode == ForecastMode::Tell || !expected.good {
        return None;
    }
    let (value, ahead_s) = (expected.value, expected.ahead_s);
    let (machines, because) = match each {
        Some(each) => (
            whole(value / each),
            format!("{value} in {ahead_s} s / {each} each"),
        ),
        None => {
            let (machines, because) = carried::need(value, inputs, &inputs.history.carried)?;
            (machines, format!("in {ahead_s} s {because}"))
        }
    };
    Some(Need {
        by: "forecast".to_owned(),
        machines,
        because,
    })
}

/// A number of machines, rounded up. What is above a whole number by no more than the error of
/// floating point is that number.
pub(crate) fn whole(machines: f64) -> u32 {
    let up = (machines - 1e-9).ceil().max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is bounded on both sides"
    )]
    let machines = up.min(f64::from(u32::MAX / 4)) as u32;
    machines
}
