//! Which faults, and when.

use std::time::Duration;

use fastrand::Rng;
use strat_model::ErrorKind;

use crate::layers::{Call, Effect};

/// One fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing was done.
    FailBefore(ErrorKind),
    /// It is done, and the answer is replaced by a `Timeout`.
    LoseAnswer,
    /// It takes this much longer.
    Delay(Duration),
    /// It fails with `Capacity`, as if the offer were out of stock.
    StockOut,
}

/// A fault of a certain call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedFault {
    /// The method, such as `create_machines`.
    pub operation: String,
    /// Which call of that method, attempts counted; from 1.
    pub nth: u64,
    /// What becomes of it.
    pub fault: Fault,
}

impl ScriptedFault {
    /// The `nth` call of `operation`, from 1, has `fault`.
    pub fn new(operation: impl Into<String>, nth: u64, fault: Fault) -> Self {
        Self {
            operation: operation.into(),
            nth,
            fault,
        }
    }
}

/// On which side of its effect the first dead call dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillPoint {
    /// Nothing was done.
    BeforeEffect,
    /// It was done, and nobody was told.
    AfterEffect,
}

/// After so many calls, every call fails: as if the process had died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KillSwitch {
    /// How many calls pass.
    pub after_calls: u64,
    /// How the next one dies. Those after it have no effect.
    pub point: KillPoint,
}

/// Which faults there are, and how often. The default has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChaosPolicy {
    /// The probability of failing with `Transient` before the call.
    pub fail_before: f64,
    /// The probability of losing the answer.
    pub lose_answer: f64,
    /// The probability of `Throttled`.
    pub throttle: f64,
    /// The probability of `create_machines` meeting an empty stock.
    pub stock_out: f64,
    /// The probability of a delay…
    pub delay: f64,
    /// …and the longest.
    pub delay_max: Duration,
    /// Faults of certain calls; those have no others.
    pub script: Vec<ScriptedFault>,
    /// Where the run dies.
    pub kill: Option<KillSwitch>,
}

impl ChaosPolicy {
    /// No faults but these.
    #[must_use]
    pub fn scripted(script: impl IntoIterator<Item = ScriptedFault>) -> Self {
        Self {
            script: script.into_iter().collect(),
            ..Self::default()
        }
    }

    /// No faults until every call fails.
    #[must_use]
    pub fn killed_after(after_calls: u64, point: KillPoint) -> Self {
        Self {
            kill: Some(KillSwitch { after_calls, point }),
            ..Self::default()
        }
    }

    /// Throws the dice for one call: perhaps a delay, and at most one failure. All are thrown for
    /// every call, so that one probability does not shift the others' dice.
    pub(super) fn roll(&self, call: &Call<'_>, rng: &mut Rng) -> Vec<Fault> {
        let [delay, length, throttle, before, stock, answer] = std::array::from_fn(|_| rng.f64());
        let is_create = call.operation == "create_machines" && call.effect == Effect::Write;
        let mut faults = Vec::new();
        if delay < self.delay {
            faults.push(Fault::Delay(self.delay_max.mul_f64(length)));
        }
        let failure = if throttle < self.throttle {
            Some(Fault::FailBefore(ErrorKind::Throttled))
        } else if before < self.fail_before {
            Some(Fault::FailBefore(ErrorKind::Transient))
        } else if is_create && stock < self.stock_out {
            Some(Fault::StockOut)
        } else if answer < self.lose_answer {
            Some(Fault::LoseAnswer)
        } else {
            None
        };
        faults.extend(failure);
        faults
    }
}
