//! All that a decision is made of, besides the policy.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_model::CapacityKind;
use strat_model::burst::BurstClass;

use crate::carried::{self, Carried};
use crate::decision::{Decision, Op};
use crate::forecast::Expected;
use crate::policy::Policy;

/// One instant, as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inputs {
    /// The instant.
    pub at: Timestamp,
    /// The generation of the lease under which the decision is made.
    #[serde(default)]
    pub epoch: u64,
    /// Whether somebody asked that nothing be done.
    #[serde(default)]
    pub paused: bool,
    /// The last sample of each signal, by name. One that is not in here is missing.
    #[serde(default)]
    pub signals: BTreeMap<String, Sample>,
    /// What is expected at the time when a machine asked for now would be ready.
    #[serde(default)]
    pub expected: Option<Expected>,
    /// The machines of the fleet, sorted by id. Those of a site that was not seen are in here as
    /// they were last seen.
    #[serde(default)]
    pub machines: Vec<Machine>,
    /// The sites that could not be seen, with the time since when.
    #[serde(default)]
    pub unseen: BTreeMap<String, Timestamp>,
    /// Machines of batch fleets on owned hardware, sorted by id.
    #[serde(default)]
    pub batch: Vec<BatchMachine>,
    /// What can be had.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// What was spent.
    #[serde(default)]
    pub spent: Spent,
    /// What was decided before.
    #[serde(default)]
    pub history: History,
}

impl Inputs {
    /// An instant at which nothing was seen and nothing can be had.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self {
            at,
            epoch: 0,
            paused: false,
            signals: BTreeMap::new(),
            expected: None,
            machines: Vec::new(),
            unseen: BTreeMap::new(),
            batch: Vec::new(),
            offers: Vec::new(),
            spent: Spent::default(),
            history: History::default(),
        }
    }
}

/// What a query gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// The value.
    pub value: Reading,
    /// When it was measured.
    pub at: Timestamp,
}

/// The value of a sample. A missing one is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A number, finite.
    Number(f64),
    /// Something that is no number, or infinite.
    NotANumber,
    /// The query gave nothing, or failed.
    Nothing,
}

impl Reading {
    /// What a query gave as a floating-point number.
    #[must_use]
    pub fn of(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else {
            Self::NotANumber
        }
    }
}

/// A machine of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Where it is and what it costs.
    pub place: Place,
    /// What it does.
    pub state: State,
    /// When it was made.
    pub made: Timestamp,
    /// Whether it answers as it should.
    pub healthy: bool,
    /// Whether its cloud has said that it takes it back.
    pub reclaimed: bool,
}

/// Where a machine is, what it is and what it costs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The site.
    pub site: String,
    /// The zone.
    pub zone: String,
    /// The cloud's name for its size.
    pub machine_type: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The price of an hour, in US dollars.
    pub usd_hour: Decimal,
    /// What is billed at once, in seconds.
    pub billed_s: u32,
}

/// What a machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is asked for, and not ready yet.
    Pending,
    /// It works.
    Ready {
        /// Whether it is past its start, so that how busy it is says something.
        warm: bool,
    },
    /// It is being emptied, to go.
    Draining {
        /// Since when.
        since: Timestamp,
        /// Whether it is empty.
        done: bool,
    },
}

/// A machine of a batch fleet on owned hardware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchMachine {
    /// Its id.
    pub id: String,
    /// The site.
    pub site: String,
    /// The zone.
    pub zone: String,
    /// Its fleet's priority.
    pub priority: i32,
    /// When it was made: what it did since is lost.
    pub made: Timestamp,
    /// How long it gets to give way, in seconds.
    pub grace_s: u64,
    /// Since when it gives way for this fleet.
    pub giving_way: Option<Timestamp>,
}

/// Something that can be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Offer {
    /// Where, what, and at what price.
    pub place: Place,
    /// How many can be had, after quotas and what is used; `None`: no bound is known.
    pub room: Option<u32>,
    /// The time from asking to being ready that nine of ten keep, in seconds.
    pub boot_p90_s: u64,
    /// When there was none to be had, if that was the last that was heard.
    #[serde(default)]
    pub ran_out: Option<RanOut>,
}

/// That an offer could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RanOut {
    /// The last time.
    pub at: Timestamp,
    /// How many times in a row.
    pub times: u32,
}

/// What was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spent {
    /// In this calendar month, in US dollars.
    pub month_to_date: Decimal,
    /// The rest of the month, in seconds.
    pub month_left_s: u64,
    /// How long batch machines that gave way in this calendar month had run, all of them together, in
    /// seconds: what they did may be lost.
    #[serde(default, skip_serializing_if = "is_none")]
    pub batch_lost_s: u64,
}

/// Whether nothing was lost, which is not written down.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) const fn is_none(seconds: &u64) -> bool {
    *seconds == 0
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            month_to_date: Decimal::ZERO,
            month_left_s: 30 * 86_400,
            batch_lost_s: 0,
        }
    }
}

/// What was decided before, as far back as it matters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct History {
    /// What was needed, oldest first.
    pub needs: Vec<Needed>,
    /// What was changed, oldest first.
    pub changes: Vec<Changed>,
    /// Since when each signal has had no good value.
    pub bad_since: BTreeMap<String, Timestamp>,
    /// The arrivals of signals whose service takes time, oldest first.
    pub arrivals: BTreeMap<String, Vec<Arrivals>>,
    /// Machines that were made to take the place of dearer ones, which have not gone yet.
    pub moving: u32,
    /// What a machine of each offer carries, where that is measured.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub carried: BTreeMap<String, Carried>,
}

/// How many machines were needed at an instant, before anything slowed that down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Needed {
    /// The instant.
    pub at: Timestamp,
    /// How many.
    pub machines: u32,
}

/// How the count was changed at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changed {
    /// The instant.
    pub at: Timestamp,
    /// Machines asked for or taken back.
    pub up: u32,
    /// Machines that were told to go.
    pub down: u32,
}

/// A rate of arrivals at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Arrivals {
    /// The instant.
    pub at: Timestamp,
    /// Per second.
    pub rate: f64,
}

/// How long changes are remembered, in seconds: what the brake looks back.
pub(crate) const HOUR_S: i64 = 3600;
/// So many needs are remembered, however long ago they were.
pub(crate) const NEEDS_KEPT: usize = 9;
/// How many times of service a moving load looks back: e⁻⁸ of what was before is left.
const SERVICES: f64 = 8.0;

impl History {
    /// Adds what was decided, and forgets what no longer matters.
    pub fn note(&mut self, policy: &Policy, inputs: &Inputs, decision: &Decision) {
        let settings = policy.settings();
        let now = decision.at;
        let since = |seconds: i64| now.as_second().saturating_sub(seconds);
        self.forget_the_future(now);
        self.needs.push(Needed {
            at: now,
            machines: decision.need,
        });
        let longest = settings.up.after_s.max(settings.down.after_s);
        let keep = i64::try_from(longest + 3 * settings.interval_s).unwrap_or(i64::MAX);
        // The last ones stay in any case: they say how far decisions are apart.
        let old = self.needs.len().saturating_sub(NEEDS_KEPT);
        let mut number = 0;
        self.needs.retain(|need| {
            number += 1;
            number > old || need.at.as_second() >= since(keep)
        });
        let count = |ops: &[Op]| -> u32 {
            let steps = decision.steps.iter();
            let steps = steps.filter(|step| ops.contains(&step.op));
            steps.map(|step| step.count).sum()
        };
        let (up, down) = (count(&[Op::Create, Op::Resume]), count(&[Op::Drain]));
        if up + down > 0 {
            self.changes.push(Changed { at: now, up, down });
        }
        let keep = i64::try_from(longest).unwrap_or(i64::MAX).max(HOUR_S);
        self.changes
            .retain(|change| change.at.as_second() >= since(keep));
        self.moving = decision.moving.left;
        for report in &decision.signals {
            if report.state.is_good() {
                self.bad_since.remove(&report.name);
            } else {
                self.bad_since.entry(report.name.clone()).or_insert(now);
            }
        }
        self.note_arrivals(policy, inputs, now);
        carried::learn(policy, inputs, &self.bad_since, &mut self.carried);
    }

    /// What is noted for later than now was noted before a clock went back. How long ago that was,
    /// nobody knows; it counts as just now, so that nothing waits for that time to come again.
    fn forget_the_future(&mut self, now: Timestamp) {
        let arrivals = self.arrivals.values_mut().flatten();
        let times = self.needs.iter_mut().map(|need| &mut need.at);
        let times = times
            .chain(self.changes.iter_mut().map(|change| &mut change.at))
            .chain(arrivals.map(|arrivals| &mut arrivals.at))
            .chain(self.bad_since.values_mut());
        for at in times {
            *at = now.min(*at);
        }
    }

    fn note_arrivals(&mut self, policy: &Policy, inputs: &Inputs, now: Timestamp) {
        for (name, service_s) in policy.services() {
            let sample = inputs.signals.get(name);
            let Some(Reading::Number(rate)) = sample.map(|sample| sample.value) else {
                continue;
            };
            let known = self.arrivals.entry(name.to_owned()).or_default();
            known.push(Arrivals { at: now, rate });
            let keep = service_s * SERVICES + 120.0;
            let age = |at: Timestamp| now.duration_since(at).as_secs_f64();
            known.retain(|arrivals| age(arrivals.at) <= keep);
        }
    }
}

/// Who may take the place of whom.
pub(crate) fn gives_way(batch: &BatchMachine, class: BurstClass, priority: i32) -> bool {
    class == BurstClass::Online && batch.giving_way.is_none() && batch.priority < priority
}
