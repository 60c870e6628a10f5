//! Traces shaped like known loads.
//!
//! None of them is a recording. Each has what its original is known for, so that a policy can be tried
//! without a download; the numbers are of our own choosing, and all chance comes from a seed.

use std::f64::consts::TAU;

use jiff::Timestamp;

use super::trace::Trace;

const MINUTE: u64 = 60;
const DAY_MIN: usize = 1440;
const WEEK_MIN: usize = 7 * DAY_MIN;

/// What a trace is shaped like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// A steep office day: busy from nine to five on five days of the week, reached within ten
    /// minutes.
    Office,
    /// The same level always, with noise.
    Flat,
    /// Flat, and once a day ten times as much within two minutes, for twenty minutes.
    Flash,
    /// A walk by chance, with no season.
    Walk,
    /// Office, with the last week shifted by twelve hours.
    Shifted,
    /// Azure Functions 2019 (Shahrad and others, USENIX ATC 2020): a clear day on a high base, and
    /// timers that fire together at each full hour and quarter.
    Azure,
    /// Alibaba 2018 (online services beside batch): two humps a day, and a deep valley at night.
    Alibaba,
    /// Google 2019 (Tirmazi and others, EuroSys 2020): a weak day, much of it batch that comes in
    /// blocks.
    Google,
    /// Wikipedia (Urdaneta and others, 2009): a smooth day and week that repeat almost exactly.
    Wikipedia,
    /// World Cup 98 (Arlitt and Jin, 1999): little, and a crowd of many times that around each match.
    WorldCup,
}

/// All shapes, with their names on the command line.
pub const SHAPES: [(&str, Shape); 10] = [
    ("office", Shape::Office),
    ("flat", Shape::Flat),
    ("flash", Shape::Flash),
    ("walk", Shape::Walk),
    ("shifted", Shape::Shifted),
    ("azure", Shape::Azure),
    ("alibaba", Shape::Alibaba),
    ("google", Shape::Google),
    ("wikipedia", Shape::Wikipedia),
    ("world-cup", Shape::WorldCup),
];

impl Shape {
    /// A trace of so many weeks at one-minute steps, which peaks near `peak`. Noise is the standard
    /// deviation of each value, as a share of it. It begins on a Monday.
    #[must_use]
    pub fn trace(self, weeks: usize, peak: f64, noise: f64, seed: u64) -> Trace {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut walk = 0.5_f64;
        let minutes = weeks * WEEK_MIN;
        let values = (0..minutes).map(|minute| {
            let level = match self {
                Self::Shifted if minute + WEEK_MIN >= minutes => office(minute + DAY_MIN / 2),
                Self::Office | Self::Shifted => office(minute),
                Self::Flat => 0.9,
                Self::Flash => flash(minute),
                Self::Walk => {
                    walk = (walk + (random.f64() - 0.5) * 0.02).clamp(0.05, 1.0);
                    walk
                }
                Self::Azure => azure(minute),
                Self::Alibaba => alibaba(minute),
                Self::Google => google(minute, seed),
                Self::Wikipedia => wikipedia(minute),
                Self::WorldCup => world_cup(minute),
            };
            (peak * level * (1.0 + noise * normal(&mut random))).max(0.0)
        });
        Trace {
            // Monday, 5 January 2026.
            from: Timestamp::constant(1_767_571_200, 0),
            step_s: MINUTE,
            values: values.collect(),
        }
    }
}

/// A number from the normal distribution (Box and Muller, 1958).
fn normal(random: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (TAU * random.f64()).cos()
}

/// The minute of the day and the day of the week.
#[expect(clippy::cast_precision_loss, reason = "minutes of a day")]
fn clock(minute: usize) -> (f64, usize) {
    ((minute % DAY_MIN) as f64, minute / DAY_MIN % 7)
}

/// From 0 to 1 between two minutes.
fn ramp(minute: f64, from: f64, until: f64) -> f64 {
    ((minute - from) / (until - from)).clamp(0.0, 1.0)
}

fn office(minute: usize) -> f64 {
    let (minute, day) = clock(minute);
    if day >= 5 {
        return 0.1;
    }
    let up = ramp(minute, 535.0, 545.0);
    let down = 1.0 - ramp(minute, 1015.0, 1045.0);
    let lunch = 0.2 * ramp(minute, 710.0, 730.0) * (1.0 - ramp(minute, 770.0, 790.0));
    0.1 + 0.85 * up * down * (1.0 - lunch)
}

fn flash(minute: usize) -> f64 {
    let (minute, _) = clock(minute);
    let crowd = ramp(minute, 840.0, 842.0) * (1.0 - ramp(minute, 862.0, 867.0));
    0.1 + 0.9 * crowd
}

/// A day's wave from 0 to 1, highest at an hour.
fn day(minute: f64, highest_h: f64) -> f64 {
    0.5 + 0.5 * (TAU * (minute - highest_h * 60.0) / 1440.0).cos()
}

fn azure(minute: usize) -> f64 {
    let (at, weekday) = clock(minute);
    let week = if weekday >= 5 { 0.85 } else { 1.0 };
    let timer = match minute % 60 {
        0 => 0.25,
        15 | 30 | 45 => 0.10,
        _ => 0.0,
    };
    week * (0.5 + 0.2 * day(at, 14.0)) + timer
}

fn alibaba(minute: usize) -> f64 {
    let (at, _) = clock(minute);
    let hump = |center: f64, width: f64| (-((at - center) / width).powi(2)).exp();
    0.15 + 0.6 * hump(690.0, 160.0) + 0.8 * hump(1230.0, 150.0)
}

fn google(minute: usize, seed: u64) -> f64 {
    let (at, _) = clock(minute);
    // Blocks of 40 minutes, each there or not by chance that depends on it alone.
    let block = (minute / 40) as u64;
    let there = fastrand::Rng::with_seed(seed ^ block.wrapping_mul(0x9E37_79B9_7F4A_7C15)).f64();
    0.45 + 0.15 * day(at, 20.0) + if there < 0.3 { 0.3 } else { 0.0 }
}

fn wikipedia(minute: usize) -> f64 {
    let (at, weekday) = clock(minute);
    let week = [1.0, 1.0, 0.99, 0.98, 0.93, 0.85, 0.92][weekday];
    week * (0.45 + 0.5 * day(at, 19.0))
}

fn world_cup(minute: usize) -> f64 {
    let (at, weekday) = clock(minute);
    let base = 0.06 + 0.04 * day(at, 17.0);
    let match_at =
        |start: f64| ramp(at, start - 20.0, start) * (1.0 - ramp(at, start + 110.0, start + 160.0));
    let crowd = match weekday {
        1 => 0.0,
        3 => match_at(870.0),
        5 | 6 => match_at(870.0).max(0.9 * match_at(1260.0)),
        _ => 0.6 * match_at(1050.0),
    };
    base + 0.85 * crowd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_trace_and_all_are_possible() {
        for (name, shape) in SHAPES {
            let trace = shape.trace(2, 1000.0, 0.05, 7);
            assert_eq!(trace, shape.trace(2, 1000.0, 0.05, 7), "{name}");
            assert_eq!(trace.values.len(), 2 * WEEK_MIN);
            assert!(
                trace
                    .values
                    .iter()
                    .all(|value| (0.0..1500.0).contains(value)),
                "{name}"
            );
            let peak = trace.values.iter().copied().fold(0.0, f64::max);
            assert!(peak > 500.0, "{name}: {peak}");
        }
    }
}
