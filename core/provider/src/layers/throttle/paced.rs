//! Once a limit is known.

use std::time::Duration;

use super::cubic::{Cubic, Used};

/// What the client's own bucket always holds, in calls: room for timers that are late.
const BUCKET_MIN: f64 = 1.5;
/// The most it ever holds.
const BUCKET_MAX: f64 = 1000.0;
/// A shorter wait that the cloud asks for says nothing of its limit: many always say 1 second.
/// The rate answers those; a longer one stops all calls.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// The longest such stop.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Forgives rounding.
const EPSILON: f64 = 1e-6;

/// Under which circumstances a call went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sent {
    /// When, in seconds.
    at: f64,
    /// How far the rate had been used since it last fell.
    used: Used,
    /// In a burst after a quiet time.
    burst: bool,
}

impl Sent {
    /// While no limit was known.
    pub(super) fn unpaced(at: f64) -> Self {
        Self {
            at,
            used: Used::default(),
            burst: false,
        }
    }

    /// How long its answer took that came now, in seconds.
    pub(super) fn round_trip(&self, now: f64) -> f64 {
        now - self.at
    }
}

/// A bucket like the cloud's own, filled at a rate that is learnt.
#[derive(Debug)]
pub(super) struct Paced {
    cubic: Cubic,
    tokens: f64,
    bucket: f64,
    refilled_at: f64,
    sent_at: f64,
    fell_at: f64,
    paused_until: f64,
    /// The next call had to wait.
    starved: bool,
    /// The bucket was full, and then spent without a complaint so far.
    spent_full: bool,
    was_full: bool,
}

impl Paced {
    /// Holds nothing yet.
    pub(super) fn empty(cubic: Cubic, bucket: f64, now: f64) -> Self {
        Self {
            cubic,
            tokens: 0.0,
            bucket: bucket.clamp(BUCKET_MIN, BUCKET_MAX),
            refilled_at: now,
            sent_at: now,
            fell_at: now,
            paused_until: now,
            starved: false,
            spent_full: false,
            was_full: false,
        }
    }

    /// Holds as much as it can.
    pub(super) fn full(cubic: Cubic, bucket: f64, now: f64) -> Self {
        let mut paced = Self::empty(cubic, bucket, now);
        paced.tokens = paced.bucket;
        paced
    }

    /// In calls a second.
    pub(super) fn rate(&self) -> f64 {
        self.cubic.rate()
    }

    /// Takes a token; or says when to ask again.
    pub(super) fn take(&mut self, now: f64) -> Result<Sent, f64> {
        self.refill(now);
        let rate = self.cubic.rate();
        let ready_at = if now + EPSILON < self.paused_until {
            self.paused_until
        } else if self.tokens + EPSILON < 1.0 {
            now + (1.0 - self.tokens) / rate
        } else {
            return Ok(self.send(now, rate));
        };
        self.starved = true;
        Err(ready_at)
    }

    fn send(&mut self, now: f64, rate: f64) -> Sent {
        self.tokens -= 1.0;
        if self.was_full && self.tokens < 1.0 {
            self.was_full = false;
            self.spent_full = true;
        }
        if self.starved {
            // The time of a pause is no time of use.
            self.cubic.count((now - self.sent_at).min(2.0 / rate));
        }
        self.sent_at = now;
        Sent {
            at: now,
            used: self.cubic.used(),
            burst: !std::mem::take(&mut self.starved),
        }
    }

    /// A call that went as `sent`, after the last fall, was refused. Says whether that lowered
    /// anything: one that went soon after the fall was perhaps overtaken on the way by calls from
    /// before, and paid for those.
    pub(super) fn fall(&mut self, sent: Sent, now: f64) -> bool {
        if sent.at < self.fell_at + self.cubic.overtaking() {
            return false;
        }
        self.fell_at = now;
        self.refill(now);
        self.tokens = 0.0;
        self.was_full = false;
        self.spent_full = false;
        if sent.burst && self.bucket > BUCKET_MIN {
            // It was the burst that was too long, which says nothing of the rate.
            self.bucket = (self.bucket / 2.0).max(BUCKET_MIN);
        } else {
            self.cubic.fall(sent.used, sent.round_trip(now));
        }
        true
    }

    /// The cloud asks for a wait.
    pub(super) fn pause(&mut self, wait: Duration, now: f64) {
        if wait >= PAUSE_MIN {
            let until = now + wait.min(PAUSE_MAX).as_secs_f64();
            self.paused_until = self.paused_until.max(until);
        }
    }

    fn refill(&mut self, now: f64) {
        self.tokens += (now - self.refilled_at).max(0.0) * self.cubic.rate();
        self.refilled_at = now;
        if self.tokens >= self.bucket {
            if self.spent_full {
                // All of it was let through the last time: the cloud's may be larger.
                self.spent_full = false;
                self.bucket = (self.bucket * 1.1 + 1.0).min(BUCKET_MAX);
            }
            self.tokens = self.tokens.min(self.bucket);
            self.was_full = self.bucket > BUCKET_MIN;
        }
    }
}
