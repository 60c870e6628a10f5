//! The rules of a lease, without any input or output: what a holder may do until when, and when a
//! taker may take over. The model checker in `tests/lease_model` runs these very functions.
//!
//! # Why they hold
//!
//! - A holder counts its term from before it sent the record that says so, on its own clocks. So by
//!   its own count the term is over no later than `term` after anybody could first see the record.
//! - A taker trusts no time that another wrote. It must see one writing unchanged for the whole
//!   term, the longest attempt and the time that effects may come late, on its own clock.
//! - Taking over is a conditional write of the version that was watched. A renewal in the last
//!   moment makes another version, so one of the two fails.
//! - Each writing has a nonce of its own. Where a store makes versions of contents, no version ever
//!   comes back, so "unchanged" means that nothing was written in between.

use std::time::Duration;

use jiff::Timestamp;
use strat_provider::Moment;

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeasePolicy {
    /// How long a holder may write after it sent a renewal that was answered.
    pub term: Duration,
    /// The longest that one attempt at a write may take.
    pub attempt: Duration,
    /// How long after a renewal the next one is due.
    pub renew: Duration,
    /// How long after a renewal that failed it is tried again.
    pub retry: Duration,
}

impl Default for LeasePolicy {
    /// Four minutes: two attempts at a write, so that a renewal may fail twice before a call has to
    /// wait for one.
    fn default() -> Self {
        Self::of_term(Duration::from_secs(240))
    }
}

impl LeasePolicy {
    /// The shortest term.
    pub const TERM_MIN: Duration = Duration::from_secs(4);

    /// What goes with a term.
    #[must_use]
    pub fn of_term(term: Duration) -> Self {
        let term = term.max(Self::TERM_MIN);
        Self {
            term,
            attempt: term / 2,
            renew: term / 4,
            retry: term / 24,
        }
    }
}

/// Until when a holder may write, by its own clocks: whichever ends first ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term {
    elapsed: Duration,
    wall: Timestamp,
}

impl Term {
    /// The term of a record that is about to be sent.
    #[must_use]
    pub fn from_before(sending: Moment, term: Duration) -> Self {
        Self {
            elapsed: sending.elapsed.saturating_add(term),
            wall: sending.wall.checked_add(term).unwrap_or(Timestamp::MAX),
        }
    }

    /// How much of it is left; `None` once it is over. A term that is over is never renewed.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        let by_elapsed = self.elapsed.saturating_sub(now.elapsed);
        let by_wall = Duration::try_from(self.wall.duration_since(now.wall)).unwrap_or_default();
        let left = by_elapsed.min(by_wall);
        (!left.is_zero()).then_some(left)
    }
}

/// What a taker has seen of somebody else's lease. `W` sets writings apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Watch<W>(Option<(W, Duration)>);

impl<W> Default for Watch<W> {
    fn default() -> Self {
        Self(None)
    }
}

impl<W: PartialEq> Watch<W> {
    /// Takes note of what is seen at `now` (on a clock that counts sleep), and says how much longer
    /// it has to stay as it is before it may be taken over. `wait` is its holder's term and longest
    /// attempt, and how long effects may come late.
    pub fn left(&mut self, seen: W, now: Duration, wait: Duration) -> Duration {
        let since = match &self.0 {
            Some((before, since)) if *before == seen => *since,
            _ => {
                self.0 = Some((seen, now));
                now
            }
        };
        since.saturating_add(wait).saturating_sub(now)
    }
}
