//! How long to wait between attempts.

use std::time::Duration;

use fastrand::Rng;

/// When to try again, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts at one call, the first included; at least 1.
    pub attempts_max: u32,
    /// The bound of the first wait; it doubles with every attempt.
    pub base: Duration,
    /// The highest bound of a wait.
    pub cap: Duration,
    /// No attempt begins later than this after the first. Time spent waiting for a permit does not
    /// count: a long queue is no fault of the call.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(20),
            deadline: Duration::from_secs(300),
        }
    }
}

/// Exponential backoff with full jitter: the wait after attempt `n` is uniform between zero and
/// `min(cap, base · 2^(n−1))`.
///
/// Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, where full
/// jitter needs the fewest calls of the variants compared.
#[derive(Debug)]
pub struct Backoff<'a> {
    policy: &'a RetryPolicy,
}

impl<'a> Backoff<'a> {
    /// The backoff of a policy.
    #[must_use]
    pub const fn new(policy: &'a RetryPolicy) -> Self {
        Self { policy }
    }

    /// The longest wait after attempt `attempt` (from 1).
    #[must_use]
    pub fn bound(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.policy
            .base
            .saturating_mul(1 << doublings)
            .min(self.policy.cap)
    }

    /// A wait after attempt `attempt` (from 1).
    #[must_use]
    pub fn wait(&self, attempt: u32, rng: &mut Rng) -> Duration {
        self.bound(attempt).mul_f64(rng.f64())
    }
}
