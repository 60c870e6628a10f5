//! The one place that repeats a call.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use fastrand::Rng;
use jiff::Timestamp;
use strat_model::{Error, ErrorKind, Result};

use super::outcome::{may_have_happened, unknown_after};
use super::{
    Answered, Backoff, Call, Effect, Flaws, Layer, Next, Phase, Reporter, RetryPolicy, lock,
};

/// Repeats a call that failed with a retryable kind.
///
/// Writes too: every method of the contract is idempotent, and the repeated call carries the same
/// token and name. A write that fails in the end, and of which any attempt got no answer, fails
/// with "outcome unknown" ([`super::is_outcome_unknown`]), whatever the last attempt said.
///
/// A call about several things whose answer has a retryable error inside is repeated likewise: what
/// is done already is done again without effect. An answer that says what was done is never given
/// up for an error of a later attempt.
///
/// The loop is our own: the crates for it (`backon` 1.6, say) add their jitter to the delay
/// instead of drawing the delay, seed a generator of their own for every call, and know a
/// deadline only as the sum of the delays.
#[derive(Debug)]
pub struct Retry {
    policy: RetryPolicy,
    rng: Mutex<Rng>,
    reporter: Reporter,
    answered: Answered,
}

/// How long a call is repeated that gets no answer from a site where nothing has answered yet.
const FIRST_PATIENCE: Duration = Duration::from_secs(30);

impl Retry {
    /// Retries by `policy`; the waits are drawn from `rng`.
    #[must_use]
    pub fn new(policy: RetryPolicy, rng: Rng, reporter: Reporter, answered: Answered) -> Self {
        Self {
            policy,
            rng: Mutex::new(rng),
            reporter,
            answered,
        }
    }

    /// How long to wait before another attempt; `None` if there is to be none.
    fn wait_after(&self, call: &Call<'_>, start: Timestamp, error: &Error) -> Option<Duration> {
        let attempt = call.attempt();
        if !error.kind().is_retryable() || attempt >= self.policy.attempts_max {
            return None;
        }
        let drawn = Backoff::new(&self.policy).wait(attempt, &mut lock(&self.rng));
        let wait = drawn.max(error.retry_after().unwrap_or_default());
        let busy = self.reporter.since(start).saturating_sub(call.waited());
        let is_silent = error.kind() == ErrorKind::Timeout && !self.answered.is_so();
        let deadline = match is_silent {
            true => self.policy.deadline.min(FIRST_PATIENCE),
            false => self.policy.deadline,
        };
        (busy.saturating_add(wait) <= deadline).then_some(wait)
    }
}

#[async_trait]
impl Layer for Retry {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let start = self.reporter.clock().now();
        let mut unanswered = false;
        let mut partial = None;
        // Bounded by the policy's attempts.
        for attempt in 1.. {
            call.begin_attempt(attempt);
            let (error, kept) = match next.run().await {
                Ok(flaws) => match flaws.find(ErrorKind::is_retryable).cloned() {
                    None => return Ok(flaws),
                    Some(error) => (error, Some(flaws)),
                },
                Err(error) => (error, None),
            };
            if kept.is_none() && call.effect == Effect::Write && may_have_happened(error.kind()) {
                unanswered = true;
                if partial.is_some() {
                    call.lose_answer();
                }
            }
            // What is done of a call stays done when its repetition fails.
            partial = kept.or(partial);
            let Some(wait) = self.wait_after(call, start, &error) else {
                if let Some(flaws) = partial {
                    return Ok(flaws);
                }
                let error = call.name_in(error);
                return Err(if unanswered {
                    unknown_after(attempt, error)
                } else {
                    error
                });
            };
            let error = &error;
            self.reporter.emit(call, Phase::Retrying { error, wait });
            self.reporter.clock().sleep(wait).await;
        }
        Ok(Flaws::none())
    }
}
