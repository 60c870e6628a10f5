//! Faults on purpose, for tests.

mod policy;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fastrand::Rng;
use strat_model::{Error, ErrorKind, Result, Scope};

pub use self::policy::{ChaosPolicy, Fault, KillPoint, KillSwitch, ScriptedFault};
use super::{Call, Flaws, Layer, Next, lock};
use crate::Clock;

/// The code of the error that a kill switch gives.
const KILLED_CODE: &str = "ChaosKilled";

/// Makes calls fail: by the dice, by a script, or all of them from some point on.
///
/// One chaos may be in the stacks of several providers; it counts their calls together, each
/// attempt as one. With the same seed and the same order of calls it does the same.
#[derive(Debug)]
pub struct Chaos {
    policy: ChaosPolicy,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    calls: u64,
    by_operation: BTreeMap<&'static str, u64>,
    is_killed: bool,
}

impl Chaos {
    /// Faults by `policy`; the dice are `rng`.
    #[must_use]
    pub fn new(policy: ChaosPolicy, rng: Rng, clock: Arc<dyn Clock>) -> Self {
        Self {
            policy,
            clock,
            state: Mutex::new(State {
                rng,
                calls: 0,
                by_operation: BTreeMap::new(),
                is_killed: false,
            }),
        }
    }

    /// How many calls there were: with no fault at all, what a crash test counts to.
    #[must_use]
    pub fn calls(&self) -> u64 {
        lock(&self.state).calls
    }

    /// Whether the kill switch was hit.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        lock(&self.state).is_killed
    }

    /// Counts a call and chooses what becomes of it.
    fn choose(&self, call: &Call<'_>) -> Fate {
        let mut state = lock(&self.state);
        state.calls += 1;
        let nth = state.by_operation.entry(call.operation).or_default();
        *nth += 1;
        let nth = *nth;
        if state.is_killed {
            return Fate::KilledBefore;
        }
        if let Some(switch) = self.policy.kill
            && state.calls > switch.after_calls
        {
            state.is_killed = true;
            return match switch.point {
                KillPoint::BeforeEffect => Fate::KilledBefore,
                KillPoint::AfterEffect => Fate::KilledAfter,
            };
        }
        let scripted = self
            .policy
            .script
            .iter()
            .find(|entry| entry.operation == call.operation && entry.nth == nth);
        match scripted {
            Some(entry) => Fate::Faults(vec![entry.fault]),
            None => Fate::Faults(self.policy.roll(call, &mut state.rng)),
        }
    }
}

/// What becomes of one call.
enum Fate {
    /// The process died before the call.
    KilledBefore,
    /// It died after it.
    KilledAfter,
    /// These faults, in order.
    Faults(Vec<Fault>),
}

#[async_trait]
impl Layer for Chaos {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let faults = match self.choose(call) {
            Fate::KilledBefore => return Err(killed()),
            Fate::KilledAfter => {
                let _effect = next.run().await;
                return Err(killed());
            }
            Fate::Faults(faults) => faults,
        };
        for fault in faults {
            match fault {
                Fault::Delay(delay) => self.clock.sleep(delay).await,
                Fault::FailBefore(kind) => {
                    return Err(Error::new(kind, "chaos: failed before the call"));
                }
                Fault::StockOut => {
                    return Err(Error::new(ErrorKind::Capacity, "chaos: out of stock")
                        .with_scope(Scope::Offer));
                }
                Fault::LoseAnswer => {
                    let _effect = next.run().await;
                    return Err(Error::new(ErrorKind::Timeout, "chaos: the answer was lost"));
                }
            }
        }
        next.run().await
    }
}

fn killed() -> Error {
    Error::new(ErrorKind::Internal, "chaos: the process counts as dead")
        .with_code(KILLED_CODE)
        .with_scope(Scope::Cloud)
}

/// Whether an error is the kill switch's.
#[must_use]
pub fn is_killed(error: &Error) -> bool {
    error.kind() == ErrorKind::Internal && error.code() == Some(KILLED_CODE)
}
