//! What is modelled, and what a state is made of.

use std::time::Duration;

use jiff::Timestamp;
use strat_engine::protocol::{Term, Watch};
use strat_provider::Moment;

/// How long a term is, in ticks.
pub(crate) const TERM: u8 = 4;
/// The longest that an attempt at a write takes.
pub(crate) const ATTEMPT: u8 = 1;
/// An hour, to clocks.
pub(crate) const HOUR: i16 = 100;
pub(crate) const RUNS: usize = 2;
pub(crate) const PLACES: usize = 2;
/// How many writings of a register reads may still show.
pub(crate) const PAST: usize = 3;

/// What is modelled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// When it is over.
    pub(crate) ticks: u8,
    /// Whether both runs have one store; else each has its folder's, as it was once.
    pub(crate) shared: bool,
    /// How long reads lag.
    pub(crate) lag: u8,
    /// How long after its attempt a write may still take effect.
    pub(crate) late: u8,
    /// Whether a version is a digest of the text.
    pub(crate) digest: bool,
    /// Whether each text has a nonce.
    pub(crate) nonce: bool,
    /// Whether the store ignores conditions.
    pub(crate) ignores: bool,
    /// Whether a taker puts the conditions to the test.
    pub(crate) proves: bool,
    /// Whether clocks count while a host sleeps.
    pub(crate) counts_sleep: bool,
    /// Whether a write is checked where it leaves; else where its step begins.
    pub(crate) fenced: bool,
    /// Whether an expiry is compared that the holder wrote by its own clock, as it was once.
    pub(crate) trusts_clocks: bool,
    /// Whether a term that is over is renewed all the same, as it was once.
    pub(crate) revives: bool,
    /// How long a taker watches, in ticks.
    pub(crate) watch: u8,
    /// How often a host may sleep, a clock may jump, a holder may die, a lease be renewed.
    pub(crate) sleeps: u8,
    pub(crate) jumps: u8,
    pub(crate) deaths: u8,
    pub(crate) renewals: u8,
    /// How many writes there are.
    pub(crate) writes: u8,
    /// The places that each run's revision of the topology writes to.
    pub(crate) places: [&'static [usize]; RUNS],
    /// Whether all writes of a run are guarded by the lease of its first place.
    pub(crate) first_place_only: bool,
}

impl Setting {
    /// The protocol as it is, in a world without trouble.
    pub(crate) const fn calm() -> Self {
        Self {
            ticks: 9,
            shared: true,
            lag: 0,
            late: 0,
            digest: false,
            nonce: true,
            ignores: false,
            proves: false,
            counts_sleep: true,
            fenced: true,
            trusts_clocks: false,
            revives: false,
            watch: TERM + ATTEMPT,
            sleeps: 0,
            jumps: 0,
            deaths: 0,
            renewals: 1,
            writes: 1,
            places: [&[0], &[0]],
            first_place_only: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    pub(crate) epoch: u8,
    pub(crate) nonce: u8,
    pub(crate) holder: Option<u8>,
    /// By the holder's clock.
    pub(crate) expires: i16,
}

/// Sets writings apart, as the store does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    Digest(Text),
    Number(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Writing {
    pub(crate) text: Text,
    pub(crate) number: u8,
    /// When another took its place.
    pub(crate) until: Option<u8>,
}

/// A conditional write on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Put {
    pub(crate) place: usize,
    pub(crate) text: Text,
    pub(crate) seen: Option<Version>,
    pub(crate) sent: Sent,
    pub(crate) by: u8,
}

/// The holder's clocks when it sent a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sent {
    pub(crate) elapsed: u8,
    pub(crate) wall: i16,
}

impl Sent {
    pub(crate) fn moment(self) -> Moment {
        Moment {
            elapsed: secs(self.elapsed),
            wall: Timestamp::from_second(1_000_000 + i64::from(self.wall)).expect("a time"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) version: Version,
    pub(crate) epoch: u8,
    pub(crate) sent: Sent,
    pub(crate) expires: i16,
}

impl Held {
    pub(crate) fn left(&self, now: Sent) -> Option<Duration> {
        Term::from_before(self.sent.moment(), secs(TERM)).left(now.moment())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Run {
    pub(crate) watch: [Watch<Version>; PLACES],
    pub(crate) put: Option<Put>,
    pub(crate) held: [Option<Held>; PLACES],
    /// A step that has begun: its place and the epoch that it counts on.
    pub(crate) step: Option<(usize, u8)>,
    pub(crate) done: bool,
    pub(crate) asleep: bool,
    pub(crate) slept: u8,
    pub(crate) wall: i16,
    pub(crate) dead: bool,
}

/// A write to a cloud on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    pub(crate) place: usize,
    /// Who sent it, under which epoch.
    pub(crate) run: usize,
    pub(crate) epoch: u8,
    pub(crate) by: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) time: u8,
    pub(crate) stores: [[[Option<Writing>; PAST]; PLACES]; RUNS],
    pub(crate) runs: [Run; RUNS],
    pub(crate) flights: [Option<Flight>; 1],
    pub(crate) nonces: u8,
    pub(crate) sleeps: u8,
    pub(crate) jumps: u8,
    pub(crate) deaths: u8,
    pub(crate) renewals: u8,
    pub(crate) writes: u8,
    pub(crate) wrong: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "shown as the steps of a counterexample")]
pub(crate) enum Action {
    Tick,
    Sleep(usize),
    Wake(usize),
    Jump(usize, i16),
    Die(usize),
    /// A read, of so many writings ago, and the conditional write that follows from it.
    Look(usize, usize, usize),
    Renew(usize, usize),
    Release(usize, usize),
    /// A conditional write takes effect, and is answered.
    Land(usize),
    Begin(usize, usize),
    Send(usize),
    /// A write to a cloud takes effect.
    Effect(usize),
}

impl State {
    pub(crate) fn clocks(&self, setting: &Setting, run: usize) -> Sent {
        let of = &self.runs[run];
        let missed = if setting.counts_sleep { 0 } else { of.slept };
        Sent {
            elapsed: self.time - missed,
            // One clock that does not count sleep was all there was.
            wall: of.wall + i16::from(self.time) - i16::from(missed),
        }
    }

    pub(crate) fn wall(&self, run: usize) -> i16 {
        i16::from(self.time) + self.runs[run].wall
    }
}

pub(crate) fn secs(ticks: u8) -> Duration {
    Duration::from_secs(u64::from(ticks))
}
