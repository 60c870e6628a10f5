//! As many calls a second as the cloud allows, and hardly more.

mod cubic;
mod limiter;
mod open;
mod paced;
mod pacer;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use strat_model::{ErrorKind, Result};

use self::limiter::Limiter;
use self::pacer::{Answer, Pacer};
use super::{Api, Call, Effect, Flaws, Layer, Next, Phase, Reporter, lock};
use crate::Clock;

/// How the throttle behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThrottlePolicy {
    /// How many calls may be in flight before anything is known of the limit. The window grows
    /// with every second answer, until the cloud throttles for the first time.
    pub window: u32,
    /// The lowest rate it falls to, in calls a second.
    pub rate_min: f64,
    /// The highest rate it grows to, in calls a second.
    pub rate_max: f64,
}

impl Default for ThrottlePolicy {
    fn default() -> Self {
        Self {
            window: 64,
            rate_min: 0.25,
            rate_max: 10_000.0,
        }
    }
}

/// What is known beforehand of a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateHint {
    /// The sustained rate, in calls a second. It is never exceeded but by the burst.
    pub rate: f64,
    /// How many calls may come at once after a quiet time.
    pub burst: u32,
}

type LimiterKey = (String, Api, Effect);

/// The limits learnt so far, one for each account, part of the API and effect. Clones share them.
#[derive(Debug, Clone)]
pub struct Throttles {
    policy: ThrottlePolicy,
    clock: Arc<dyn Clock>,
    limiters: Arc<Mutex<BTreeMap<LimiterKey, Arc<Limiter>>>>,
}

impl Throttles {
    /// Nothing learnt yet.
    #[must_use]
    pub fn new(policy: ThrottlePolicy, clock: Arc<dyn Clock>) -> Self {
        Self {
            policy,
            clock,
            limiters: Arc::default(),
        }
    }

    /// Says beforehand what an account is allowed; replaces what was learnt of it.
    pub fn hint(&self, account: &str, api: Api, effect: Effect, hint: RateHint) {
        let limiter = self.limiter_from(Pacer::hinted(self.policy, hint));
        lock(&self.limiters).insert((account.to_owned(), api, effect), limiter);
    }

    fn limiter(&self, account: &str, api: Api, effect: Effect) -> Arc<Limiter> {
        Arc::clone(
            lock(&self.limiters)
                .entry((account.to_owned(), api, effect))
                .or_insert_with(|| self.limiter_from(Pacer::new(self.policy))),
        )
    }

    fn limiter_from(&self, pacer: Pacer) -> Arc<Limiter> {
        Arc::new(Limiter::new(pacer, Arc::clone(&self.clock)))
    }
}

/// Holds calls back so that the cloud need not refuse them, at a rate that it learns.
///
/// # Behavior
/// - First in, first out. A waiting call that is dropped leaves the queue and costs nothing.
/// - Until the cloud throttles for the first time, only the calls in flight are bounded, so that a
///   burst that the cloud allows is used in full.
/// - After that calls are paced. A throttled answer lowers the rate, once for all calls that were
///   under way; then it grows back to where it was, lingers there and probes beyond. The shape is
///   that of CUBIC (RFC 9438), as in the adaptive mode of the AWS SDKs.
/// - After a quiet time a burst is let through again, of a size that is learnt likewise.
/// - Only a rate in demand grows: what was never asked for proves nothing.
#[derive(Debug)]
pub struct Throttle {
    throttles: Throttles,
    account: String,
    reporter: Reporter,
}

impl Throttle {
    /// Throttles the calls of one account by what is learnt in `throttles`.
    #[must_use]
    pub fn new(throttles: Throttles, account: impl Into<String>, reporter: Reporter) -> Self {
        Self {
            throttles,
            account: account.into(),
            reporter,
        }
    }
}

#[async_trait]
impl Layer for Throttle {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let limiter = self.throttles.limiter(&self.account, call.api, call.effect);
        let start = self.reporter.clock().now();
        let permit = limiter.acquire().await;
        let wait = self.reporter.since(start);
        if wait >= limiter::SLEEP_MIN {
            call.add_wait(wait);
            self.reporter.emit(call, Phase::Waited { wait });
        }
        let result = next.run().await;
        let answer = answer_of(&result);
        let rate = permit.answered(answer);
        if let Answer::Throttled { .. } = answer {
            self.reporter.emit(call, Phase::Throttled { rate });
        }
        result
    }
}

/// What an answer, with the errors inside it, says of the limit: one that is throttled says most.
fn answer_of(result: &Result<Flaws>) -> Answer {
    let worst = match result {
        Err(error) => Some(error),
        Ok(flaws) => flaws
            .find(|kind| kind == ErrorKind::Throttled)
            .or_else(|| flaws.find(|kind| says_of_limit(kind) == Answer::Unclear)),
    };
    match worst {
        None => Answer::Admitted,
        Some(error) => match says_of_limit(error.kind()) {
            Answer::Throttled { .. } => Answer::Throttled {
                retry_after: error.retry_after(),
            },
            answer @ (Answer::Admitted | Answer::Unclear) => answer,
        },
    }
}

const fn says_of_limit(kind: ErrorKind) -> Answer {
    match kind {
        ErrorKind::Throttled => Answer::Throttled { retry_after: None },
        ErrorKind::Timeout | ErrorKind::Transient => Answer::Unclear,
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Precondition
        | ErrorKind::Capacity
        | ErrorKind::Quota
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Unsupported
        | ErrorKind::Internal => Answer::Admitted,
    }
}
