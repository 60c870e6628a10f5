//! When the next call may go. Pure: the time is an argument, in seconds since some start.

use std::time::Duration;

use super::cubic::{Cubic, Used};
use super::{RateHint, ThrottlePolicy};

/// The width of the window in which calls are counted before a limit is known, in seconds.
const COUNT_WINDOW_S: f64 = 1.0;
/// Calls that came in a shorter time than this, in seconds, say nothing of a rate.
const WIDTH_MIN_S: f64 = 0.1;
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

/// How the cloud answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It took the call, whatever it then made of it.
    Admitted,
    /// It refused it as one too many.
    Throttled { retry_after: Option<Duration> },
    /// Nobody knows.
    Unclear,
}

/// Whether a call may go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admission {
    /// Now.
    Now(Ticket),
    /// Ask again at this time.
    At(f64),
    /// Ask again after an answer.
    AfterAnswer,
}

/// Under which circumstances a call went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ticket {
    /// How often the rate had fallen. An answer from before the last fall lowers nothing again.
    falls: u64,
    /// How far the rate had been used since.
    used: Used,
    /// When it went.
    sent_at: f64,
    /// It went in a burst after a quiet time.
    burst: bool,
}

#[derive(Debug)]
enum Mode {
    /// No limit known.
    Open(Open),
    /// Calls are spaced.
    Paced(Paced),
}

/// Counts what is let through, in two windows.
#[derive(Debug, Default)]
struct Open {
    answers: u32,
    window_start: f64,
    in_window: f64,
    in_last: f64,
}

/// A bucket like the cloud's own, filled at a rate that is learnt.
#[derive(Debug)]
struct Paced {
    cubic: Cubic,
    tokens: f64,
    bucket: f64,
    refilled_at: f64,
    sent_at: f64,
    paused_until: f64,
    /// The next call had to wait.
    starved: bool,
    /// The bucket was full, and then spent without a complaint so far.
    spent_full: bool,
    was_full: bool,
}

/// Says when calls may go, and learns from the answers.
#[derive(Debug)]
pub(super) struct Pacer {
    policy: ThrottlePolicy,
    mode: Mode,
    in_flight: u32,
    falls: u64,
}

impl Pacer {
    /// Knows nothing.
    pub(super) fn new(policy: ThrottlePolicy) -> Self {
        Self {
            policy,
            mode: Mode::Open(Open::default()),
            in_flight: 0,
            falls: 0,
        }
    }

    /// Begins with what is known.
    pub(super) fn hinted(policy: ThrottlePolicy, hint: RateHint) -> Self {
        let cubic = Cubic::at(hint.rate, policy.rate_min, policy.rate_max);
        let bucket = f64::from(hint.burst).clamp(BUCKET_MIN, BUCKET_MAX);
        Self {
            mode: Mode::Paced(Paced::new(cubic, bucket, bucket, 0.0)),
            ..Self::new(policy)
        }
    }

    /// Asks for one call. Ask in the order in which callers came.
    pub(super) fn admit(&mut self, now: f64) -> Admission {
        let (burst, used) = match &mut self.mode {
            Mode::Open(open) => {
                let window = self.policy.window.max(1).saturating_add(open.answers / 2);
                if self.in_flight >= window {
                    return Admission::AfterAnswer;
                }
                (false, Used::default())
            }
            Mode::Paced(paced) => match paced.take(now) {
                Ok(burst) => (burst, paced.cubic.used()),
                Err(at) => return Admission::At(at),
            },
        };
        self.in_flight += 1;
        Admission::Now(Ticket {
            falls: self.falls,
            used,
            sent_at: now,
            burst,
        })
    }

    /// Notes how a call that was admitted was answered, or that nobody waits for it any more.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer, now: f64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match answer {
            Answer::Unclear => {}
            Answer::Admitted => {
                if let Mode::Open(open) = &mut self.mode {
                    open.count(now);
                }
            }
            Answer::Throttled { retry_after } => {
                if ticket.falls == self.falls {
                    self.falls += 1;
                    self.fall(ticket, now);
                }
                self.pause(retry_after, now);
            }
        }
    }

    /// The rate in calls a second; infinite while no limit is known.
    pub(super) fn rate(&self) -> f64 {
        match &self.mode {
            Mode::Open(_) => f64::INFINITY,
            Mode::Paced(paced) => paced.cubic.rate(),
        }
    }

    fn fall(&mut self, ticket: Ticket, now: f64) {
        match &mut self.mode {
            Mode::Open(open) => {
                let (rate, burst) = open.measure(now, now - ticket.sent_at);
                let mut cubic = Cubic::at(rate, self.policy.rate_min, self.policy.rate_max);
                cubic.search_down();
                let bucket = (burst / 2.0).clamp(BUCKET_MIN, BUCKET_MAX);
                self.mode = Mode::Paced(Paced::new(cubic, bucket, 0.0, now));
            }
            Mode::Paced(paced) => paced.fall(ticket, now),
        }
    }

    fn pause(&mut self, retry_after: Option<Duration>, now: f64) {
        let Some(wait) = retry_after.filter(|wait| *wait >= PAUSE_MIN) else {
            return;
        };
        if let Mode::Paced(paced) = &mut self.mode {
            let until = now + wait.min(PAUSE_MAX).as_secs_f64();
            paced.paused_until = paced.paused_until.max(until);
        }
    }
}

impl Open {
    fn roll(&mut self, now: f64) {
        let passed = now - self.window_start;
        if passed >= COUNT_WINDOW_S {
            self.in_last = if passed < 2.0 * COUNT_WINDOW_S {
                self.in_window
            } else {
                0.0
            };
            self.in_window = 0.0;
            self.window_start = now;
        }
    }

    fn count(&mut self, now: f64) {
        self.roll(now);
        self.in_window += 1.0;
        self.answers = self.answers.saturating_add(1);
    }

    /// The rate that was let through lately, and how many calls that were. What came within one
    /// `round_trip` (in seconds) came at once as far as anybody can tell.
    fn measure(&mut self, now: f64, round_trip: f64) -> (f64, f64) {
        self.roll(now);
        let count = self.in_last + self.in_window;
        let part = now - self.window_start;
        let width = if self.in_last > 0.0 {
            COUNT_WINDOW_S + part
        } else {
            part
        };
        (count / width.max(round_trip).max(WIDTH_MIN_S), count)
    }
}

impl Paced {
    fn new(cubic: Cubic, bucket: f64, tokens: f64, now: f64) -> Self {
        Self {
            cubic,
            tokens,
            bucket,
            refilled_at: now,
            sent_at: now,
            paused_until: now,
            starved: false,
            spent_full: false,
            was_full: false,
        }
    }

    /// Takes a token, and says whether it was one that a quiet time had saved up; or says when to
    /// ask again.
    fn take(&mut self, now: f64) -> Result<bool, f64> {
        self.refill(now);
        let rate = self.cubic.rate();
        if now + EPSILON < self.paused_until {
            self.starved = true;
            return Err(self.paused_until);
        }
        if self.tokens + EPSILON < 1.0 {
            self.starved = true;
            return Err(now + (1.0 - self.tokens) / rate);
        }
        self.tokens -= 1.0;
        let burst = !self.starved;
        if self.starved {
            self.cubic.count((now - self.sent_at).min(2.0 / rate));
        }
        if self.was_full && self.tokens < 1.0 {
            self.was_full = false;
            self.spent_full = true;
        }
        self.starved = false;
        self.sent_at = now;
        Ok(burst)
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

    fn fall(&mut self, ticket: Ticket, now: f64) {
        self.refill(now);
        self.tokens = 0.0;
        self.was_full = false;
        self.spent_full = false;
        if ticket.burst && self.bucket > BUCKET_MIN {
            // It was the burst that was too long, which says nothing of the rate.
            self.bucket = (self.bucket / 2.0).max(BUCKET_MIN);
        } else {
            self.cubic.fall(ticket.used, now - ticket.sent_at);
        }
    }
}
