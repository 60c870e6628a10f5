//! How long calls take, in buckets: a bounded size, however many calls there are.

use std::time::Duration;

/// How many buckets there are between a time and twice that: a time is known to an eighth.
const PER_OCTAVE: usize = 8;

/// Counts of durations.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// As long as the longest duration needs, at most some 430.
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Counts one.
    pub(super) fn add(&mut self, took: Duration) {
        let at = bucket(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
    }

    /// The duration that half of them did not exceed, to an eighth of it.
    pub(super) fn median(&self) -> Duration {
        let mut before = 0;
        for (at, count) in self.counts.iter().enumerate() {
            before += count;
            if *count > 0 && before * 2 >= self.total {
                return Duration::from_micros(lowest(at));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of so many microseconds.
fn bucket(micros: u64) -> usize {
    let per_octave = PER_OCTAVE as u64;
    if micros < per_octave {
        return usize::try_from(micros).unwrap_or(0);
    }
    let octave = micros.ilog2() - per_octave.ilog2();
    let within = usize::try_from(micros >> octave).unwrap_or(0) - PER_OCTAVE;
    (octave as usize + 1) * PER_OCTAVE + within
}

/// The least of a bucket, in microseconds.
fn lowest(bucket: usize) -> u64 {
    if bucket < PER_OCTAVE {
        return bucket as u64;
    }
    let octave = bucket / PER_OCTAVE - 1;
    ((PER_OCTAVE + bucket % PER_OCTAVE) as u64) << octave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_at_most_an_eighth_more() {
        for micros in [0, 1, 7, 8, 9, 100, 12_345, 1 << 40, u64::MAX] {
            let least = lowest(bucket(micros));
            assert!(least <= micros && micros - least <= least / 8, "{micros}");
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let mut times = Histogram::default();
        assert_eq!(times.median(), Duration::ZERO);
        for ms in [1, 1, 150, 9_000, 9_000] {
            times.add(Duration::from_millis(ms));
        }
        let median = times.median().as_millis();
        assert!((132..=150).contains(&median), "{median}");
    }
}
