//! What a site is made to suffer: faults of calls, shortages, outages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{CapacityKind, Error, ErrorKind, Name, Result, Scope};

use crate::config::Behaviour;
use crate::error::Trouble;
use crate::world::Tx;

/// What is to happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It fails, and has no effect.
    Fail {
        /// As what.
        kind: ErrorKind,
        /// How far the failure is said to reach.
        #[serde(default = "call_scope")]
        scope: Scope,
        /// How long the caller is asked to wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// It takes effect, but the answer is lost: the caller sees this kind of error,
    /// `Timeout` or `Transient`.
    LoseAnswer {
        /// What the caller sees.
        kind: ErrorKind,
    },
}

const fn call_scope() -> Scope {
    Scope::Call
}

impl Fault {
    /// A failure of a kind that reaches no further than its call.
    #[must_use]
    pub const fn fail(kind: ErrorKind) -> Self {
        Self::Fail {
            kind,
            scope: Scope::Call,
            retry_after_ms: None,
        }
    }

    /// A lost answer that looks like a timeout.
    #[must_use]
    pub const fn lost_answer() -> Self {
        Self::LoseAnswer {
            kind: ErrorKind::Timeout,
        }
    }
}

/// A fault that waits for its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// The operation, such as `create_machines`; `None` is any that changes something.
    pub operation: Option<String>,
    /// What happens.
    pub fault: Fault,
    /// To how many calls more.
    pub times: u32,
    /// How many calls pass unharmed first.
    #[serde(default)]
    pub after: u32,
}

/// Everything that was done to a region behind its users' backs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trials {
    /// Faults that wait for their calls, in the order in which they were set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<PlannedFault>,
    /// The share of changing calls whose answer is lost, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_answers: Option<f64>,
    /// How many calls a second each operation takes; 0 is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<u32>,
    /// Zones that are down.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub lost_zones: BTreeSet<Name>,
    /// Zones whose hosts are taken out: nobody can look at what is there.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hidden_zones: BTreeSet<Name>,
    /// The account that the credentials of those who connect lead to, in place of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether the whole region is down.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// The most machines of an offer that may run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stock: Vec<StockLimit>,
    /// The most virtual CPUs of a family, or of all (`total`), that may run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quotas: BTreeMap<String, u64>,
}

/// The most machines of an offer that may run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLimit {
    /// The machine type.
    pub machine_type: String,
    /// The zone.
    pub zone: Name,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// How many may run.
    pub limit: u64,
}

impl Trials {
    /// The most machines of an offer that may run; `None` is without bound.
    pub(crate) fn stock_limit(
        &self,
        machine_type: &str,
        zone: &Name,
        capacity: CapacityKind,
    ) -> Option<u64> {
        self.stock
            .iter()
            .find(|s| s.machine_type == machine_type && s.zone == *zone && s.capacity == capacity)
            .map(|s| s.limit)
    }

    /// Whether a zone is down.
    pub(crate) fn is_down(&self, zone: Option<&Name>) -> bool {
        self.lost || zone.is_some_and(|zone| self.lost_zones.contains(zone))
    }
}

/// Whether a call changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
}

/// Lets a call through to its effect, or not. What it gives back is said instead of the answer.
pub(crate) fn gate(
    tx: &mut Tx<'_>,
    behaviour: &Behaviour,
    operation: &'static str,
    effect: Effect,
) -> Result<Option<Error>> {
    if tx.region().record.trials.lost {
        let message = format!("region {} does not answer", tx.key().region);
        return Err(Trouble::RegionDown
            .error(tx.profile(), message)
            .with_scope(Scope::Region));
    }
    throttle(tx, behaviour, operation)?;
    match planned(tx, operation, effect) {
        Some(Fault::Fail {
            kind,
            scope,
            retry_after_ms,
        }) => {
            let error = Trouble::planned(kind, tx.profile(), operation).with_scope(scope);
            return Err(match retry_after_ms {
                Some(wait) => error.with_retry_after(Duration::from_millis(wait)),
                None => error,
            });
        }
        Some(Fault::LoseAnswer { kind }) => return Ok(Some(lost_answer(kind))),
        None => {}
    }
    if tx.rng.f64() < behaviour.faults {
        let message = "the service had a passing fault";
        return Err(Error::new(ErrorKind::Transient, message));
    }
    let share = tx
        .region()
        .record
        .trials
        .lost_answers
        .unwrap_or(behaviour.lost_answers);
    if effect == Effect::Write && tx.rng.f64() < share {
        let kind = if tx.rng.bool() {
            ErrorKind::Timeout
        } else {
            ErrorKind::Transient
        };
        return Ok(Some(lost_answer(kind)));
    }
    Ok(None)
}

fn lost_answer(kind: ErrorKind) -> Error {
    Error::new(kind, "the connection broke before the answer came")
}

/// Takes the first planned fault that is for this call.
fn planned(tx: &mut Tx<'_>, operation: &str, effect: Effect) -> Option<Fault> {
    let faults = &tx.region().record.trials.faults;
    let at = faults.iter().position(|planned| match &planned.operation {
        Some(name) => name == operation,
        None => effect == Effect::Write,
    })?;
    let mut fault = None;
    tx.change_record(|record| {
        let planned = &mut record.trials.faults[at];
        if planned.after > 0 {
            planned.after -= 1;
            return;
        }
        fault = Some(planned.fault);
        planned.times = planned.times.saturating_sub(1);
        if planned.times == 0 {
            record.trials.faults.remove(at);
        }
    });
    fault
}

/// The tokens that one operation has left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    level: f64,
    at: Timestamp,
}

fn throttle(tx: &mut Tx<'_>, behaviour: &Behaviour, operation: &'static str) -> Result<()> {
    let trials = &tx.region().record.trials;
    let Some(rate) = trials.rate_per_second.or(behaviour.rate_per_second) else {
        return Ok(());
    };
    let (now, rate) = (tx.now, f64::from(rate));
    // A bucket holds two seconds' worth, as a burst.
    let full = (rate * 2.0).max(1.0);
    let bucket = tx.bucket(
        operation,
        Bucket {
            level: full,
            at: now,
        },
    );
    let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    bucket.level = (bucket.level + passed * rate).min(full);
    bucket.at = now;
    if rate > 0.0 && bucket.level >= 1.0 {
        bucket.level -= 1.0;
        return Ok(());
    }
    let wait = if rate > 0.0 {
        (1.0 - bucket.level) / rate
    } else {
        1.0
    };
    let error = Trouble::TooManyCalls
        .error(tx.profile(), format!("too many {operation} calls"))
        .with_scope(Scope::Account);
    Err(if tx.profile().says_retry_after() {
        error.with_retry_after(Duration::from_secs_f64(wait))
    } else {
        error
    })
}
