//! What a site is made to suffer: faults of calls, shortages, outages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{Bytes, Capabilities, CapacityKind, Error, ErrorKind, Name, Result, Scope};

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
    /// The connection is taken, and nothing ever answers; the call has no effect.
    Silence,
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
    /// How slow it is.
    #[serde(skip_serializing_if = "Pace::is_usual")]
    pub pace: Pace,
    /// What it takes less of than its cloud does.
    #[serde(skip_serializing_if = "Narrow::is_usual")]
    pub limits: Narrow,
}

/// How slow a region is, in milliseconds; what is `None` is as the site's settings say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// How long a call takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// How long it takes until a new machine is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_ms: Option<u64>,
    /// How long it takes until a deleted machine is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_ms: Option<u64>,
    /// How far lists lag behind writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency_ms: Option<u64>,
}

impl Pace {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// How a site behaves at this pace: what its settings say, but for what is said here.
    pub(crate) fn of(self, behaviour: &Behaviour) -> Times {
        Times {
            create_ms: self.create_ms.unwrap_or(behaviour.create_ms),
            delete_ms: self.delete_ms.unwrap_or(behaviour.delete_ms),
            consistency_ms: self.consistency_ms.unwrap_or(behaviour.consistency_ms),
        }
    }
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) create_ms: u64,
    pub(crate) delete_ms: u64,
    pub(crate) consistency_ms: u64,
}

/// Limits below those of the region's cloud; what is `None` is the cloud's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Narrow {
    /// The most user data of a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<Bytes>,
    /// The most disks that a machine is made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<u32>,
    /// The largest disk or volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_size: Option<Bytes>,
    /// The most firewalls of one machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewalls: Option<u32>,
    /// The most rules of one firewall in one direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<u32>,
}

impl Narrow {
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Lowers what a site can do to this.
    pub(crate) fn narrow(self, capabilities: &mut Capabilities) {
        fn lower<T: Ord + Copy>(limit: &mut T, to: Option<T>) {
            *limit = to.map_or(*limit, |to| to.min(*limit));
        }
        let limits = &mut capabilities.limits;
        lower(&mut limits.disks, self.disks);
        lower(&mut limits.disk_max, self.disk_size);
        lower(&mut limits.firewalls, self.firewalls);
        lower(&mut limits.rules, self.rules);
        lower(&mut capabilities.user_data_max, self.user_data);
    }
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

/// What becomes of a call that was not refused.
#[derive(Debug)]
pub(crate) enum Passage {
    /// It has its effect, and its answer comes back.
    Free,
    /// It has its effect, and this is said instead of the answer.
    Lost(Error),
    /// It has none, and is never answered.
    Silent,
}

/// Lets a call through to its effect, or not.
pub(crate) fn gate(
    tx: &mut Tx<'_>,
    behaviour: &Behaviour,
    operation: &'static str,
    effect: Effect,
) -> Result<Passage> {
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
        Some(Fault::LoseAnswer { kind }) => return Ok(Passage::Lost(lost_answer(kind))),
        Some(Fault::Silence) => return Ok(Passage::Silent),
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
        return Ok(Passage::Lost(lost_answer(kind)));
    }
    Ok(Passage::Free)
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
