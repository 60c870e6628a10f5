//! When the next call may go. Pure: the time is an argument, in seconds since some start.

use std::time::Duration;

use super::cubic::Cubic;
use super::open::Open;
use super::paced::{Paced, Sent};
use super::{RateHint, ThrottlePolicy};

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
    sent: Sent,
}

#[derive(Debug)]
enum Mode {
    /// No limit known.
    Open(Open),
    /// Calls are spaced.
    Paced(Paced),
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
        // What is allowed is known: there is nothing to probe beyond it.
        let rate_max = policy.rate_max.min(hint.rate);
        let cubic = Cubic::at(hint.rate, policy.rate_min, rate_max);
        Self {
            mode: Mode::Paced(Paced::full(cubic, f64::from(hint.burst), 0.0)),
            ..Self::new(policy)
        }
    }

    /// Asks for one call. Ask in the order in which callers came.
    pub(super) fn admit(&mut self, now: f64) -> Admission {
        let sent = match &mut self.mode {
            Mode::Open(open) => {
                if self.in_flight >= open.window(self.policy.window) {
                    return Admission::AfterAnswer;
                }
                Sent::unpaced(now)
            }
            Mode::Paced(paced) => match paced.take(now) {
                Ok(sent) => sent,
                Err(at) => return Admission::At(at),
            },
        };
        self.in_flight += 1;
        let falls = self.falls;
        Admission::Now(Ticket { falls, sent })
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
                if ticket.falls == self.falls && self.fall(ticket.sent, now) {
                    self.falls += 1;
                }
                if let (Some(wait), Mode::Paced(paced)) = (retry_after, &mut self.mode) {
                    paced.pause(wait, now);
                }
            }
        }
    }

    /// The rate in calls a second; infinite while no limit is known.
    pub(super) fn rate(&self) -> f64 {
        match &self.mode {
            Mode::Open(_) => f64::INFINITY,
            Mode::Paced(paced) => paced.rate(),
        }
    }

    fn fall(&mut self, sent: Sent, now: f64) -> bool {
        match &mut self.mode {
            Mode::Open(open) => {
                let (rate, burst) = open.measure(now, sent.round_trip(now));
                let mut cubic = Cubic::at(rate, self.policy.rate_min, self.policy.rate_max);
                cubic.search_down();
                // Half of what came through at once: some of it was refilled meanwhile.
                self.mode = Mode::Paced(Paced::empty(cubic, burst / 2.0, now));
                true
            }
            Mode::Paced(paced) => paced.fall(sent, now),
        }
    }
}
