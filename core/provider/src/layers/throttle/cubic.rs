//! The rate's way back after a throttled answer.
//!
//! # Sources
//! - RFC 9438 (CUBIC): fall by a factor, grow back concavely to where it last failed, linger,
//!   then probe convexly.
//! - The AWS SDKs' "adaptive" retry mode applies it to a rate of calls: `botocore`,
//!   `retries/throttling.py` (`CubicCalculator`: β = 0.7, C = 0.4) and `retries/adaptive.py`.
//!
//! # What differs, and why
//! - The curve is measured in calls, not only in seconds. With a fixed C in calls/s⁴ a limit of
//!   2 calls/s would be overrun every three seconds, which throttles one call in three. Measured
//!   in calls, the throttled share is about the same for every limit. A share of time is mixed in
//!   so that a rate that fell very low does not stay there.
//! - The plateau lies midway between the rate that failed and the rate that was let through since
//!   the last fall. Between two throttled answers the cloud's bucket went from empty to empty, so
//!   what it let through is what it refills; the rate that failed may have lived on the bucket.

/// What is left of the rate after a throttled answer, once a limit is known. As in the AWS SDKs.
const BETA: f64 = 0.7;
/// What is left of it while the limit is still unknown: a plain halving, to get there fast.
const BETA_SEARCH: f64 = 0.5;
/// How many calls it takes to grow back to the plateau, at least…
const CALLS_TO_PLATEAU: f64 = 50.0;
/// …and at least how many seconds' worth of the plateau's calls…
const CALLS_TO_PLATEAU_S: f64 = 2.5;
/// …or how many round trips' worth: a refusal must have time to come back.
const CALLS_TO_PLATEAU_TRIPS: f64 = 8.0;
/// How many seconds it takes at most, however few the calls, once a limit is known…
const SECONDS_TO_PLATEAU: f64 = 15.0;
/// …and before, at least; at low rates as long as so many calls take.
const SECONDS_TO_PLATEAU_SEARCH: f64 = 5.0;
const CALLS_TO_PLATEAU_SEARCH: f64 = 20.0;
/// A refusal that takes longer says nothing of the way.
const ROUND_TRIP_MAX_S: f64 = 2.0;
/// What is left of the longest one at the next fall: they vary, and the long ones matter.
const ROUND_TRIP_KEPT: f64 = 0.8;
/// From how many calls on, what was let through since the last fall says something.
const CALLS_TO_MEASURE: f64 = 5.0;
/// The lowest rate there is: a call in a hundred seconds.
const RATE_MIN: f64 = 0.01;
/// The curve is cut off here; by then the rate has grown some ten thousandfold.
const PROGRESS_MAX: f64 = 40.0;

/// A rate that falls when told and grows with use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cubic {
    plateau: f64,
    limit: Limit,
    round_trip: f64,
    head_start: f64,
    used: Used,
    min: f64,
    max: f64,
}

/// Whether the last fall knew what the cloud lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Unknown,
    Known,
}

impl Limit {
    /// What is left of the rate after the fall.
    const fn beta(self) -> f64 {
        match self {
            Self::Unknown => BETA_SEARCH,
            Self::Known => BETA,
        }
    }
}

/// How far a rate has been used since it last fell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Used {
    calls: f64,
    seconds: f64,
}

impl Cubic {
    /// At `rate`, and about to probe beyond. Bounds that make no sense are mended.
    pub(super) fn at(rate: f64, min: f64, max: f64) -> Self {
        let min = min.max(RATE_MIN);
        let max = max.max(min);
        Self {
            // Unlike `clamp` this makes a number of what is none.
            plateau: rate.max(min).min(max),
            limit: Limit::Known,
            round_trip: 0.0,
            head_start: 1.0,
            used: Used::default(),
            min,
            max,
        }
    }

    /// In calls a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate_after(self.used)
    }

    fn rate_after(&self, used: Used) -> f64 {
        let worth = CALLS_TO_PLATEAU_S.max(CALLS_TO_PLATEAU_TRIPS * self.round_trip);
        let calls = CALLS_TO_PLATEAU.max(worth * self.plateau);
        let seconds = match self.limit {
            Limit::Unknown => (CALLS_TO_PLATEAU_SEARCH / self.plateau)
                .clamp(SECONDS_TO_PLATEAU_SEARCH, SECONDS_TO_PLATEAU),
            Limit::Known => SECONDS_TO_PLATEAU,
        };
        let progress = self.head_start + used.calls / calls + used.seconds / seconds;
        let from_plateau = progress.min(PROGRESS_MAX) - 1.0;
        let rate = self.plateau * (1.0 + (1.0 - self.limit.beta()) * from_plateau.powi(3));
        rate.clamp(self.min, self.max)
    }

    /// One call is let go that had to wait for its turn, `seconds` after the one before.
    pub(super) fn count(&mut self, seconds: f64) {
        self.used.calls += 1.0;
        self.used.seconds += seconds;
    }

    /// How far it has been used.
    pub(super) fn used(&self) -> Used {
        self.used
    }

    /// For how long after a fall, in seconds, calls may be overtaken by calls from before it: half
    /// a round trip. During the search each refusal counts at once.
    pub(super) fn overtaking(&self) -> f64 {
        match self.limit {
            Limit::Unknown => 0.0,
            Limit::Known => self.round_trip / 2.0,
        }
    }

    /// The rate was too high for a call that was let go at `used`: the first that was refused, so
    /// that all before it were let through. The refusal took `round_trip` seconds to come back.
    pub(super) fn fall(&mut self, used: Used, round_trip: f64) {
        self.round_trip = round_trip
            .min(ROUND_TRIP_MAX_S)
            .max(ROUND_TRIP_KEPT * self.round_trip);
        let rate = self.rate_after(used);
        if used.calls < CALLS_TO_MEASURE || used.seconds <= 0.0 {
            return self.restart(rate, Limit::Unknown);
        }
        let measured = (used.calls - 1.0) / used.seconds;
        // What fails with no bucket at all fails at the limit itself: hence not `measured` alone.
        self.restart(
            measured.midpoint(rate).clamp(BETA * rate, rate),
            Limit::Known,
        );
    }

    /// Nothing is known of the limit but that it is lower.
    pub(super) fn search_down(&mut self) {
        self.restart(self.rate(), Limit::Unknown);
    }

    fn restart(&mut self, plateau: f64, limit: Limit) {
        self.plateau = plateau.clamp(self.min, self.max);
        self.limit = limit;
        self.head_start = 0.0;
        self.used = Used::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the rate until it exceeds `limit`, falls there, and does so `falls` times.
    fn at_limit(limit: f64, falls: u32) -> Cubic {
        let mut cubic = Cubic::at(100.0, 0.5, 10_000.0);
        for _ in 0..falls {
            cubic.fall(cubic.used(), 0.1);
            while cubic.rate() <= limit {
                cubic.count(1.0 / cubic.rate());
            }
        }
        cubic
    }

    #[test]
    fn it_settles_round_any_limit() {
        for limit in [1.0, 2.0, 20.0, 90.0] {
            let mut cubic = at_limit(limit, 20);
            cubic.fall(cubic.used(), 0.1);
            let low = cubic.rate();
            assert!(low > 0.5 * limit && low < limit, "{limit}: {low}");
        }
    }

    #[test]
    fn a_storm_leaves_the_least_rate_and_recovery_takes_a_minute() {
        let mut cubic = Cubic::at(20.0, 0.5, 10_000.0);
        for _ in 0..20 {
            cubic.fall(cubic.used(), 0.1);
        }
        assert!((cubic.rate() - 0.5).abs() < 1e-9);
        let mut seconds = 0.0;
        while cubic.rate() < 20.0 {
            let step = 1.0 / cubic.rate();
            cubic.count(step);
            seconds += step;
        }
        assert!(seconds < 90.0, "{seconds}");
    }

    #[test]
    fn bounds_that_make_no_sense_are_mended() {
        for (rate, min, max) in [(f64::NAN, 1.0, 2.0), (5.0, 9.0, 1.0), (-1.0, -2.0, -3.0)] {
            let mut cubic = Cubic::at(rate, min, max);
            cubic.fall(cubic.used(), 0.1);
            assert!(cubic.rate().is_finite() && cubic.rate() > 0.0);
        }
    }

    #[test]
    fn the_rate_stays_within_its_bounds() {
        let mut cubic = Cubic::at(20.0, 0.5, 50.0);
        for _ in 0..100_000 {
            cubic.count(0.01);
        }
        assert!((cubic.rate() - 50.0).abs() < 1e-9);
    }
}
