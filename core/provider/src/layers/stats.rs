//! Counts of calls, for the end of a run.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use strat_model::Name;

use super::histogram::Histogram;
use super::{Api, CallEvent, CallObserver, Ending, Phase, lock};

/// What is counted apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey {
    /// The site.
    pub site: Name,
    /// The part of its API.
    pub api: Api,
    /// The method.
    pub operation: &'static str,
}

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls that began.
    pub calls: u64,
    /// Calls that ended with an error, or with an answer that has one inside.
    pub failures: u64,
    /// Calls whose caller stopped waiting.
    pub cancelled: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Attempts that the cloud throttled.
    pub throttles: u64,
    /// Attempts that the throttle held back.
    pub waits: u64,
    /// How long it held them back, together.
    pub waited: Duration,
    /// How long the finished calls took, together, with all waits and attempts.
    pub took: Duration,
    /// What half of them did not exceed, to an eighth of it.
    pub took_median: Duration,
    /// The longest of them.
    pub took_max: Duration,
}

/// The counts of one key on their way.
#[derive(Debug, Clone, Default)]
struct Tally {
    counts: CallCounts,
    times: Histogram,
}

impl Tally {
    fn add(&mut self, phase: &Phase<'_>) {
        self.counts.add(phase);
        if let Phase::Finished { took, .. } = phase {
            self.times.add(*took);
        }
    }

    fn counts(&self) -> CallCounts {
        CallCounts {
            took_median: self.times.median(),
            ..self.counts
        }
    }
}

impl CallCounts {
    fn add(&mut self, phase: &Phase<'_>) {
        match *phase {
            Phase::Started => self.calls += 1,
            Phase::Waited { wait } => {
                self.waits += 1;
                self.waited += wait;
            }
            Phase::Throttled { .. } => self.throttles += 1,
            Phase::Silent { .. } => {}
            Phase::Retrying { .. } => self.retries += 1,
            Phase::Finished { ending, took } => {
                match ending {
                    Ending::Done => {}
                    Ending::Failed(_) | Ending::Partial(_) => self.failures += 1,
                    Ending::Cancelled => self.cancelled += 1,
                }
                self.took += took;
                self.took_max = self.took_max.max(took);
            }
        }
    }
}

/// An observer that counts.
#[derive(Debug, Default)]
pub struct CallStats {
    tallies: Mutex<BTreeMap<CallKey, Tally>>,
}

impl CallStats {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts so far, sorted.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<CallKey, CallCounts> {
        let tallies = lock(&self.tallies);
        let counts = tallies.iter();
        counts.map(|(key, of)| (key.clone(), of.counts())).collect()
    }

    /// All counts so far in one, without a median.
    #[must_use]
    pub fn total(&self) -> CallCounts {
        let mut total = CallCounts::default();
        for Tally { counts, .. } in lock(&self.tallies).values() {
            total.calls += counts.calls;
            total.failures += counts.failures;
            total.cancelled += counts.cancelled;
            total.retries += counts.retries;
            total.throttles += counts.throttles;
            total.waits += counts.waits;
            total.waited += counts.waited;
            total.took += counts.took;
            total.took_max = total.took_max.max(counts.took_max);
        }
        total
    }
}

impl CallObserver for CallStats {
    fn on_event(&self, event: &CallEvent<'_>) {
        let key = CallKey {
            site: event.call.site.clone(),
            api: event.call.api,
            operation: event.call.operation,
        };
        lock(&self.tallies)
            .entry(key)
            .or_default()
            .add(&event.phase);
    }
}
