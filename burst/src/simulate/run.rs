//! The run of a policy over a trace.

use jiff::{SignedDuration, Timestamp};
use strat_burst_policy::{
    Expected, Forecaster, Inputs, Policy, PolicyError, Reading, Sample, decide,
};
use strat_model::burst::{BurstPolicy, SignalKind};

use super::account::{Outcome, Point, Report, TraceSummary};
use super::oracle::Oracle;
use super::others::{Foresight, Hours, Variant, variants};
use super::setting::{Between, Capacity, Setting};
use super::trace::Trace;
use super::world::World;

/// Why a policy cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The policy is impossible.
    #[error("the burst is not possible")]
    Policy(#[from] PolicyError),
    /// Nothing says how much a machine carries.
    #[error("nothing says what one machine carries: the burst has no `demand` and no `wait`")]
    NoCapacity,
    /// The history is all of the trace.
    #[error("the history of {history_s} s leaves nothing of a trace of {trace_s} s to play")]
    NothingLeft {
        /// The history.
        history_s: u64,
        /// The trace.
        trace_s: u64,
    },
}

/// Plays a trace with a policy, and with those that it is compared with.
///
/// There is a decision at each step of the trace, whatever the policy's interval is. The trace is the
/// value of each `demand` and the arrivals of each `wait`; utilisation and backlog follow from it and
/// from what is ready.
///
/// # Errors
///
/// If the policy is impossible, or nothing is left to play.
pub fn simulate(
    policy: &BurstPolicy,
    setting: &Setting,
    trace: &Trace,
) -> Result<Report, SimulateError> {
    let capacity = Capacity::of(policy, setting).ok_or(SimulateError::NoCapacity)?;
    let skip = usize::try_from(setting.history_s / trace.step_s.max(1)).unwrap_or(usize::MAX);
    if skip >= trace.values.len() {
        return Err(SimulateError::NothingLeft {
            history_s: setting.history_s,
            trace_s: trace.values.len() as u64 * trace.step_s,
        });
    }
    let mut oracle = Oracle::new(setting, trace.step_s);
    for value in known(&trace.values[skip..]) {
        oracle.step(capacity.needed(value));
    }
    let oracle = oracle.close();
    let mut results: Vec<Outcome> = Vec::new();
    let mut points = Vec::new();
    for variant in variants(policy, setting) {
        let (mut outcome, of) = run(&variant, trace, skip, &capacity)?;
        outcome.usd_over_oracle = (oracle.usd > 0.0).then(|| outcome.usd / oracle.usd);
        results.push(outcome);
        if points.is_empty() {
            points = of;
        }
    }
    results.push(oracle);
    let at = |step: usize| -> Timestamp {
        let seconds = i64::try_from(step as u64 * trace.step_s).unwrap_or(0);
        trace.from + SignedDuration::from_secs(seconds)
    };
    let summary = TraceSummary {
        from: at(skip),
        to: at(trace.values.len()),
        step_s: trace.step_s,
    };
    Ok(Report::new(summary, results, points))
}

/// The values, with the last known one in place of one that is not.
fn known(values: &[f64]) -> impl Iterator<Item = f64> {
    let mut last = 0.0;
    values.iter().map(move |value| {
        if value.is_finite() {
            last = *value;
        }
        last
    })
}

/// The run of one variant.
fn run(
    variant: &Variant,
    trace: &Trace,
    skip: usize,
    capacity: &Capacity,
) -> Result<(Outcome, Vec<Point>), SimulateError> {
    let mut settings = variant.policy.clone();
    settings.interval_s = trace.step_s;
    for signal in &mut settings.signals {
        signal.stale_s = signal.stale_s.max(2 * trace.step_s);
    }
    let policy = Policy::new(settings)?;
    let setting = &variant.setting;
    let begin = trace.from
        + SignedDuration::from_secs(i64::try_from(skip as u64 * trace.step_s).unwrap_or(0));
    let steps = trace.values.len() - skip;
    let mut world = World::new(setting, begin, trace.step_s, steps);
    // As if it had run before: what the first minutes would have brought.
    let minutes = policy
        .settings()
        .down
        .after_s
        .div_ceil(trace.step_s.max(1))
        .max(1);
    let first = known(&trace.values[skip..]).take(usize::try_from(minutes).unwrap_or(1));
    let first = first.fold(0.0, f64::max);
    let count = capacity.wanted(first).max(policy.settings().min);
    world.begin_with(count.min(policy.settings().max));
    let mut foresight = Seer::new(variant, &policy, &world.inputs, trace);
    for step in 0..skip {
        foresight.see(step, trace.values[step]);
    }
    let mut backlog = 0.0;
    for (at, demand) in known(&trace.values[skip..]).enumerate() {
        let step = skip + at;
        let at_s = at as u64 * trace.step_s;
        let measured = if Between::any(&setting.blind, at_s) {
            f64::NAN
        } else {
            trace.values[step]
        };
        foresight.see(step, measured);
        world.inputs.expected = foresight.expected(step);
        let (ready, owned) = world.ready();
        measure(
            &policy,
            &mut world.inputs,
            measured,
            capacity,
            ready,
            &mut backlog,
            trace.step_s,
        );
        let decision = decide(&policy, &world.inputs);
        let needed = capacity.needed(demand);
        let wait_ms = capacity.wait_p99_ms(demand, ready);
        world.account.step(needed, ready, owned, wait_ms);
        world.carry_out(&policy, &decision);
        let mut history = std::mem::take(&mut world.inputs.history);
        history.note(&policy, &world.inputs, &decision);
        world.inputs.history = history;
        world.account_batch();
        world.pass();
    }
    Ok(world.account.close(variant.name))
}

/// What is measured at an instant, from the demand and from what is ready.
fn measure(
    policy: &Policy,
    inputs: &mut Inputs,
    demand: f64,
    capacity: &Capacity,
    ready: u32,
    backlog: &mut f64,
    step_s: u64,
) {
    let at = inputs.at;
    for signal in &policy.settings().signals {
        let value = match &signal.means {
            SignalKind::Demand { .. } | SignalKind::Measured | SignalKind::Wait(_) => demand,
            SignalKind::Utilisation { .. } => capacity.busy(demand, ready),
            SignalKind::Backlog { rate, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
                let step_s = step_s as f64;
                let came = if demand.is_finite() { demand } else { 0.0 };
                *backlog = (*backlog + (came - f64::from(ready) * rate) * step_s).max(0.0);
                if demand.is_finite() {
                    *backlog
                } else {
                    f64::NAN
                }
            }
        };
        let value = if demand.is_finite() {
            Reading::of(value)
        } else {
            Reading::Nothing
        };
        let sample = Sample { value, at };
        match inputs.signals.get_mut(&signal.name) {
            Some(known) => *known = sample,
            None => {
                inputs.signals.insert(signal.name.clone(), sample);
            }
        }
    }
}

/// What is known of the future.
enum Seer<'a> {
    Blind,
    Own(Vec<Forecaster>),
    Hourly(Hours<'a>),
}

impl<'a> Seer<'a> {
    fn new(variant: &Variant, policy: &Policy, inputs: &Inputs, trace: &'a Trace) -> Self {
        let forecast = policy.settings().forecast.as_ref();
        match (variant.foresight, forecast) {
            (Foresight::None, _) | (_, None) => Self::Blind,
            (Foresight::Hourly, _) => Self::Hourly(Hours::new(trace)),
            (Foresight::Own, Some(setting)) => {
                let boots = inputs.offers.iter().map(|offer| offer.boot_p90_s);
                let ahead_s = boots.max().unwrap_or(0) + trace.step_s;
                let seasons = setting.seasons_s.iter();
                let of = |season: &u64| Forecaster::new(setting, *season, trace.step_s, ahead_s);
                Self::Own(seasons.map(of).collect())
            }
        }
    }

    fn see(&mut self, _step: usize, value: f64) {
        if let Self::Own(forecasters) = self {
            for forecaster in forecasters {
                forecaster.observe(Some(value).filter(|value| value.is_finite()));
            }
        }
    }

    fn expected(&mut self, step: usize) -> Option<Expected> {
        match self {
            Self::Blind => None,
            Self::Own(forecasters) => Forecaster::best(forecasters),
            Self::Hourly(hours) => hours.expected(step),
        }
    }
}
