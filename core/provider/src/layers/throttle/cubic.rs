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
//! - The plateau is the rate that was let through since the last fall, not the one at which it
//!   failed. Between two throttled answers the cloud's bucket went from empty to empty, so what it
//!   let through is what it refills.

/// What is left of the rate after a throttled answer, once a limit is known. As in the AWS SDKs.
const BETA: f64 = 0.7;
/// What is left of it while the limit is still unknown: a plain halving, to get there fast.
const BETA_SEARCH: f64 = 0.5;
/// How many calls it takes to grow back to the plateau, at least…
const CALLS_TO_PLATEAU: f64 = 50.0;
/// …and at least how many seconds' worth of the plateau's calls: answers must have time to come.
const CALLS_TO_PLATEAU_S: f64 = 2.5;
/// How many seconds it takes at most, however few the calls.
const SECONDS_TO_PLATEAU: f64 = 15.0;
/// From how many calls on, what was let through since the last fall says something.
const CALLS_TO_MEASURE: f64 = 10.0;
/// The curve is cut off here; by then the rate has grown some ten thousandfold.
const PROGRESS_MAX: f64 = 40.0;

/// A rate that falls when told and grows with use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cubic {
    plateau: f64,
    depth: f64,
    head_start: f64,
    calls: f64,
    seconds: f64,
    min: f64,
    max: f64,
}

impl Cubic {
    /// At `rate`, and about to probe beyond.
    pub(super) fn at(rate: f64, min: f64, max: f64) -> Self {
        Self {
            plateau: rate.clamp(min, max),
            depth: 1.0 - BETA,
            head_start: 1.0,
            calls: 0.0,
            seconds: 0.0,
            min,
            max,
        }
    }

    /// In calls a second.
    pub(super) fn rate(&self) -> f64 {
        let progress =
            self.head_start + self.calls / CALLS_TO_PLATEAU + self.seconds / SECONDS_TO_PLATEAU;
        let from_plateau = progress.min(PROGRESS_MAX) - 1.0;
        let rate = self.plateau * (1.0 + self.depth * from_plateau.powi(3));
        rate.clamp(self.min, self.max)
    }

    /// One call was let go that had to wait for its turn, `seconds` after the one before.
    pub(super) fn used(&mut self, seconds: f64) {
        self.calls += 1.0;
        self.seconds += seconds;
    }

    /// The rate was too high.
    pub(super) fn fall(&mut self) {
        if self.calls < CALLS_TO_MEASURE || self.seconds <= 0.0 {
            return self.search_down();
        }
        let rate = self.rate();
        let measured = (self.calls - 1.0) / self.seconds;
        self.restart(measured.midpoint(rate).clamp(BETA * rate, rate), BETA);
    }

    /// The rate was too high, and nothing is known of the limit: halves it.
    pub(super) fn search_down(&mut self) {
        self.restart(self.rate(), BETA_SEARCH);
    }

    fn restart(&mut self, plateau: f64, beta: f64) {
        self.plateau = plateau.clamp(self.min, self.max);
        self.depth = 1.0 - beta;
        self.head_start = 0.0;
        self.calls = 0.0;
        self.seconds = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses the rate until it exceeds `limit`, falls there, and does so `falls` times.
    fn at_limit(limit: f64, falls: u32) -> Cubic {
        let mut cubic = Cubic::at(100.0, 0.5, 10_000.0);
        for _ in 0..falls {
            cubic.fall();
            while cubic.rate() <= limit {
                cubic.used(1.0 / cubic.rate());
            }
        }
        cubic
    }

    #[test]
    fn it_settles_round_any_limit() {
        for limit in [1.0, 2.0, 20.0, 90.0] {
            let mut cubic = at_limit(limit, 20);
            cubic.fall();
            let low = cubic.rate();
            assert!(low > 0.5 * limit && low < limit, "{limit}: {low}");
        }
    }

    #[test]
    fn a_storm_leaves_the_least_rate_and_recovery_takes_a_minute() {
        let mut cubic = Cubic::at(20.0, 0.5, 10_000.0);
        for _ in 0..20 {
            cubic.fall();
        }
        assert!((cubic.rate() - 0.5).abs() < 1e-9);
        let mut seconds = 0.0;
        while cubic.rate() < 20.0 {
            let step = 1.0 / cubic.rate();
            cubic.used(step);
            seconds += step;
        }
        assert!(seconds < 90.0, "{seconds}");
    }

    #[test]
    fn the_rate_stays_within_its_bounds() {
        let mut cubic = Cubic::at(20.0, 0.5, 50.0);
        for _ in 0..100_000 {
            cubic.used(0.01);
        }
        assert!((cubic.rate() - 50.0).abs() < 1e-9);
    }
}
