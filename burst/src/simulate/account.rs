//! What a run came to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

/// The version of the form of reports.
const FORMAT_VERSION: u32 = 1;
/// The most points that a chart has.
const POINTS: usize = 1200;
/// A change in the other direction within this time is a reversal, in seconds.
const REVERSAL_S: u64 = 3600;

/// All runs over one trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form.
    pub format_version: u32,
    /// The part of the trace that was played.
    pub trace: TraceSummary,
    /// What each policy came to, the user's first.
    pub results: Vec<Outcome>,
    /// The user's policy over time, for a chart.
    #[serde(skip)]
    pub points: Vec<Point>,
}

impl Report {
    pub(crate) fn new(trace: TraceSummary, results: Vec<Outcome>, points: Vec<Point>) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            trace,
            results,
            points,
        }
    }
}

/// Which part of a trace was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TraceSummary {
    /// From.
    pub from: Timestamp,
    /// Until.
    pub to: Timestamp,
    /// The time between two values, in seconds.
    pub step_s: u64,
}

/// What a policy came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Which: `yours`, `reactive`, `hourly`, `all_cloud`, `all_owned` or `oracle`.
    pub policy: &'static str,
    /// Minutes in which there were too few machines for the objective.
    pub violation_min: f64,
    /// The longest such time, in minutes.
    pub longest_min: f64,
    /// The machines that were missing then, times minutes.
    pub unmet_machine_min: f64,
    /// The wait that 99 % of arrivals keep, in the 99th of a hundred minutes; where there is a goal
    /// for waiting.
    pub wait_p99_ms: Option<f64>,
    /// Hours of machines, by site.
    pub machine_hours: BTreeMap<String, f64>,
    /// What they cost, in US dollars.
    pub usd: f64,
    /// The same, as a multiple of what the oracle pays.
    pub usd_over_oracle: Option<f64>,
    /// Changes of the number of machines, a day.
    pub changes_per_day: f64,
    /// Changes that went the other way within an hour.
    pub reversals: u32,
    /// Machines that were made past a budget.
    pub budget_breaches: u32,
    /// What batch machines had done and lost when they gave way, in machine-minutes.
    pub batch_lost_machine_min: f64,
}

/// A moment of a run, or the worst of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The time, in seconds after the beginning.
    pub at_s: u64,
    /// How many machines were needed at least: the most of the moments.
    pub needed: u32,
    /// How many were ready: the fewest of the moments.
    pub ready: u32,
    /// How many of them were our own.
    pub owned: u32,
}

/// What is added up while a run goes on.
pub(crate) struct Account {
    step_s: u64,
    steps: u64,
    violation_s: u64,
    longest_s: u64,
    lasting_s: u64,
    unmet_machine_s: u64,
    waits: Option<Waits>,
    machine_s: BTreeMap<String, u64>,
    pub(crate) usd: Decimal,
    changes: u32,
    reversals: u32,
    last: Option<(bool, u64)>,
    pub(crate) budget_breaches: u32,
    pub(crate) batch_lost_s: u64,
    every: usize,
    points: Vec<Point>,
}

impl Account {
    pub(crate) fn new(step_s: u64, steps: usize) -> Self {
        Self {
            step_s,
            steps: 0,
            violation_s: 0,
            longest_s: 0,
            lasting_s: 0,
            unmet_machine_s: 0,
            waits: None,
            machine_s: BTreeMap::new(),
            usd: Decimal::ZERO,
            changes: 0,
            reversals: 0,
            last: None,
            budget_breaches: 0,
            batch_lost_s: 0,
            every: steps.div_ceil(POINTS).max(1),
            points: Vec::new(),
        }
    }

    /// Adds a step in which so many machines were needed and ready.
    pub(crate) fn step(&mut self, needed: u32, ready: u32, owned: u32, wait_ms: Option<f64>) {
        let at_s = self.steps * self.step_s;
        let index = usize::try_from(self.steps).unwrap_or(usize::MAX);
        self.steps += 1;
        if ready < needed {
            self.violation_s += self.step_s;
            self.lasting_s += self.step_s;
            self.longest_s = self.longest_s.max(self.lasting_s);
            self.unmet_machine_s += u64::from(needed - ready) * self.step_s;
        } else {
            self.lasting_s = 0;
        }
        if let Some(wait_ms) = wait_ms {
            self.waits.get_or_insert_default().add(wait_ms);
        }
        let point = Point {
            at_s,
            needed,
            ready,
            owned,
        };
        match self.points.last_mut() {
            Some(last) if !index.is_multiple_of(self.every) => {
                last.needed = last.needed.max(needed);
                last.ready = last.ready.min(ready);
                last.owned = last.owned.min(owned);
            }
            _ => self.points.push(point),
        }
    }

    /// Adds machines of a site over a step.
    pub(crate) fn ran(&mut self, site: &str, machines: u32) {
        let seconds = u64::from(machines) * self.step_s;
        match self.machine_s.get_mut(site) {
            Some(sum) => *sum += seconds,
            None => {
                self.machine_s.insert(site.to_owned(), seconds);
            }
        }
    }

    /// Adds that the number was changed.
    pub(crate) fn changed(&mut self, up: bool) {
        let at_s = self.steps * self.step_s;
        self.changes += 1;
        if let Some((before, when)) = self.last
            && before != up
            && at_s - when <= REVERSAL_S
        {
            self.reversals += 1;
        }
        self.last = Some((up, at_s));
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
    pub(crate) fn close(self, policy: &'static str) -> (Outcome, Vec<Point>) {
        let minutes = |seconds: u64| seconds as f64 / 60.0;
        let days = (self.steps * self.step_s) as f64 / 86_400.0;
        let hours = self.machine_s.into_iter();
        let outcome = Outcome {
            policy,
            violation_min: minutes(self.violation_s),
            longest_min: minutes(self.longest_s),
            unmet_machine_min: minutes(self.unmet_machine_s),
            wait_p99_ms: self.waits.map(|waits| waits.p99_ms()),
            machine_hours: hours.map(|(site, s)| (site, s as f64 / 3600.0)).collect(),
            usd: self.usd.to_f64().unwrap_or(f64::NAN),
            usd_over_oracle: None,
            changes_per_day: f64::from(self.changes) / days.max(f64::MIN_POSITIVE),
            reversals: self.reversals,
            budget_breaches: self.budget_breaches,
            batch_lost_machine_min: minutes(self.batch_lost_s),
        };
        (outcome, self.points)
    }
}

/// How long waits were, in classes of a tenth more each.
#[derive(Default)]
struct Waits {
    classes: BTreeMap<i32, u64>,
    count: u64,
}

impl Waits {
    fn add(&mut self, wait_ms: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm within bounds")]
        let class = (wait_ms.clamp(0.01, 1e9).ln() / 1.1_f64.ln()).ceil() as i32;
        *self.classes.entry(class).or_default() += 1;
        self.count += 1;
    }

    fn p99_ms(&self) -> f64 {
        let mut seen = 0;
        let past = |(_, count): &(&i32, &u64)| {
            seen += **count;
            seen * 100 >= self.count * 99
        };
        let class = self.classes.iter().find(past);
        class.map_or(0.0, |(class, _)| {
            (1.1_f64.powi(*class) * 100.0).round() / 100.0
        })
    }
}
