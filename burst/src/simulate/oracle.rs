//! What somebody would pay who knows all that comes.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive as _;

use super::account::Outcome;
use super::setting::{CloudOffer, Setting};
use super::world::OWNED;

/// The cheapest way to have what is needed at each instant, and no more than that.
///
/// Each level of bought machines (the first, the second, …) is a problem of its own: it pays the time
/// for which it is needed, and for a gap either runs on or starts again, whichever is cheaper; a start
/// costs the boot, which is billed. For one offer without a bound that is the least that is possible.
/// With several, each level takes the cheapest that has room for it, as if a machine could change its
/// offer for nothing: a bound from below.
pub(crate) struct Oracle<'a> {
    setting: &'a Setting,
    step_s: u64,
    steps: u64,
    owned_s: u64,
    levels: Vec<Level>,
    needed: u32,
}

#[derive(Default)]
struct Level {
    /// Seconds that are paid.
    paid_s: u64,
    /// When it was last needed, in steps; `None` before the first time.
    ended: Option<u64>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(setting: &'a Setting, step_s: u64) -> Self {
        Self {
            setting,
            step_s,
            steps: 0,
            owned_s: 0,
            levels: Vec::new(),
            needed: 0,
        }
    }

    /// Adds a step in which so many machines are needed.
    pub(crate) fn step(&mut self, needed: u32) {
        let owned = needed.min(self.setting.owned);
        self.owned_s += u64::from(owned) * self.step_s;
        let bought = needed - owned;
        if self.levels.len() < bought as usize {
            self.levels.resize_with(bought as usize, Level::default);
        }
        let (before, now) = (self.needed as usize, bought as usize);
        for level in before..now {
            let start_s = offer(self.setting, level).map_or(0, |offer| offer.boot_s);
            let level = &mut self.levels[level];
            level.paid_s += match level.ended {
                Some(ended) => start_s.min((self.steps - ended) * self.step_s),
                None => start_s,
            };
        }
        for level in now..before {
            self.levels[level].ended = Some(self.steps);
        }
        for level in &mut self.levels[..now] {
            level.paid_s += self.step_s;
        }
        self.needed = bought;
        self.steps += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
    pub(crate) fn close(self) -> Outcome {
        let hours = |seconds: u64| seconds as f64 / 3600.0;
        let mut machine_hours = BTreeMap::new();
        let mut usd = hours(self.owned_s) * self.setting.owned_usd_hour.to_f64().unwrap_or(0.0);
        if self.owned_s > 0 {
            machine_hours.insert(OWNED.to_owned(), hours(self.owned_s));
        }
        for (at, level) in self.levels.iter().enumerate() {
            if let Some(offer) = offer(self.setting, at) {
                usd += hours(level.paid_s) * offer.usd_hour.to_f64().unwrap_or(0.0);
                *machine_hours.entry(offer.site.clone()).or_default() += hours(level.paid_s);
            }
        }
        Outcome {
            policy: "oracle",
            violation_min: 0.0,
            longest_min: 0.0,
            unmet_machine_min: 0.0,
            wait_p99_ms: None,
            machine_hours,
            usd,
            usd_over_oracle: None,
            changes_per_day: 0.0,
            reversals: 0,
            budget_breaches: 0,
            batch_lost_machine_min: 0.0,
        }
    }
}

/// The offer of a level: the cheapest that has room for it.
fn offer(setting: &Setting, level: usize) -> Option<&CloudOffer> {
    let mut clouds: Vec<&CloudOffer> = setting.clouds.iter().collect();
    clouds.sort_by_key(|offer| offer.usd_hour);
    let mut before = 0;
    clouds.into_iter().find(|offer| {
        let room = offer.room.map_or(usize::MAX, |room| room as usize);
        before = usize::saturating_add(before, room);
        level < before
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(needed: &[u32], boot_s: u64, owned: u32) -> f64 {
        let mut setting = Setting {
            owned,
            ..Setting::default()
        };
        setting.clouds[0].boot_s = boot_s;
        setting.clouds[0].usd_hour = rust_decimal::Decimal::from(60);
        let mut oracle = Oracle::new(&setting, 60);
        for needed in needed {
            oracle.step(*needed);
        }
        oracle.close().usd
    }

    #[test]
    fn a_level_bridges_a_gap_where_that_is_cheaper_than_a_start() {
        // At 60 USD an hour a minute costs 1 USD; a boot of 3 minutes costs 3.
        assert!((usd(&[1, 1], 180, 0) - 5.0).abs() < 1e-9);
        // A gap of two minutes is bridged for 2, one of five is not, for 3.
        assert!((usd(&[1, 0, 0, 1], 180, 0) - 7.0).abs() < 1e-9);
        assert!((usd(&[1, 0, 0, 0, 0, 0, 1], 180, 0) - 8.0).abs() < 1e-9);
        // Our own hardware takes the first levels.
        assert!((usd(&[2, 3, 2], 0, 2) - 1.0).abs() < 1e-9);
    }

    /// Whether each level runs on through each gap, tried in all ways.
    #[test]
    fn nothing_is_cheaper() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..200 {
            let needed: Vec<u32> = (0..12).map(|_| random.u32(0..3)).collect();
            let best: f64 = (1..=2)
                .map(|level| {
                    (0..1_u32 << needed.len())
                        .filter_map(|runs| {
                            let on = |at: usize| runs & (1 << at) != 0;
                            let enough = (0..needed.len()).all(|at| needed[at] < level || on(at));
                            let starts = (0..needed.len())
                                .filter(|at| on(*at) && (*at == 0 || !on(at - 1)))
                                .count();
                            #[expect(clippy::cast_precision_loss, reason = "a few")]
                            let starts = starts as f64;
                            enough.then(|| f64::from(runs.count_ones()) + starts * 2.0)
                        })
                        .fold(f64::INFINITY, f64::min)
                })
                .sum();
            assert!((usd(&needed, 120, 0) - best).abs() < 1e-9, "{needed:?}");
        }
    }
}
