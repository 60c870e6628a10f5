//! What demand will be, from what it was at this minute of weeks before.
//!
//! The method, in one sentence: the wanted quantile of what was measured around the same minute one
//! to four seasons ago, times how far the last half hour is from what was usual for it.
//!
//! - *Around the same minute* is [`BESIDE`] samples to either side, so that four weeks are enough for
//!   a quantile.
//! - *How far* is a median of ratios, so that single samples do not move it, and is bounded by
//!   [`LEVEL`].
//! - It is used only while it is better than what it costs nothing to say. Each forecast is kept until
//!   its time comes, and then compared (a rolling backtest on data that it had not seen): over the last
//!   week its error must be below that of the seasonal naive forecast (MASE < 1; Hyndman and Koehler,
//!   Another look at measures of forecast accuracy, 2006) and below that of "as now", and demand must
//!   have stayed below the quantile as often as it says, within [`COVERAGE`]. Where it is worse than
//!   "as now" by more than [`WORSE`] over two hours, it is left alone for a day, so that a week that is
//!   unlike the others shows within minutes, and is not forgotten in a quiet hour.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use strat_model::burst::ForecastSetting;

/// Samples to either side of the minute that is looked at.
const BESIDE: usize = 7;
/// The most seasons that are looked back.
const SEASONS: usize = 4;
/// The bounds of the correction of the level.
const LEVEL: (f64, f64) = (0.2, 2.0);
/// How long the correction looks back, in seconds.
const LEVEL_S: u64 = 30 * 60;
/// How far the coverage may be from the quantile.
const COVERAGE: f64 = 0.05;
/// How many times the error of "as now" is still good over the last two hours.
const WORSE: f64 = 1.5;
/// The week of the long backtest and the hours of the short one, in seconds.
const LONG_S: u64 = 7 * 86_400;
const SHORT_S: u64 = 2 * 3600;
/// How long a forecast that was far off is left alone, in seconds.
const CLOSED_S: u64 = 86_400;

/// What is expected at the time for which a machine that is asked for now would be ready.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Expected {
    /// The demand, at the quantile that was asked for.
    pub value: f64,
    /// How long ahead that is, in seconds.
    pub ahead_s: u64,
    /// The mean error of the middle of it over the last week.
    pub error: f64,
    /// The same, as a share of the seasonal naive forecast's.
    pub mase: f64,
    /// The share of the last week in which demand stayed below what was forecast.
    pub coverage: f64,
    /// Whether it was good enough to be used.
    pub good: bool,
}

/// One forecast and what was measured when its time came.
#[derive(Debug, Clone, Copy)]
struct Check {
    error: f64,
    naive: f64,
    as_now: f64,
    below: bool,
}

/// Makes forecasts of one signal from its samples, one at each step.
///
/// It holds four seasons of samples, whatever time it runs.
#[derive(Debug, Clone)]
pub struct Forecaster {
    step_s: u64,
    ahead: usize,
    quantile: f64,
    /// The season in steps.
    season: usize,
    /// The last samples, oldest first; `NaN` where there was none.
    samples: VecDeque<f64>,
    /// The ratio of each of the last samples to what was usual for it.
    levels: VecDeque<f64>,
    /// Forecasts whose time has not come: the quantile and the middle of it.
    open: VecDeque<Option<(f64, f64)>>,
    long: Window,
    short: Window,
    /// The steps for which it is still left alone.
    closed: u64,
}

/// The sums of the checks of the last steps.
#[derive(Debug, Clone)]
struct Window {
    steps: usize,
    checks: VecDeque<Option<Check>>,
    count: u32,
    error: f64,
    naive: f64,
    as_now: f64,
    below: u32,
}

impl Window {
    fn new(steps: usize) -> Self {
        Self {
            steps: steps.max(1),
            checks: VecDeque::with_capacity(steps + 1),
            count: 0,
            error: 0.0,
            naive: 0.0,
            as_now: 0.0,
            below: 0,
        }
    }

    fn push(&mut self, check: Option<Check>) {
        self.checks.push_back(check);
        if let Some(check) = check {
            self.count += 1;
            self.error += check.error;
            self.naive += check.naive;
            self.as_now += check.as_now;
            self.below += u32::from(check.below);
        }
        if self.checks.len() > self.steps
            && let Some(Some(gone)) = self.checks.pop_front()
        {
            self.count -= 1;
            self.error -= gone.error;
            self.naive -= gone.naive;
            self.as_now -= gone.as_now;
            self.below -= u32::from(gone.below);
        }
    }
}

impl Forecaster {
    /// For a signal that is measured each `step_s` seconds and a fleet whose machines are ready
    /// `ahead_s` seconds after they are asked for. `season_s` is one of the setting's seasons.
    #[must_use]
    pub fn new(setting: &ForecastSetting, season_s: u64, step_s: u64, ahead_s: u64) -> Self {
        let step_s = step_s.max(1);
        let steps = |seconds: u64| usize::try_from(seconds / step_s).unwrap_or(usize::MAX);
        let ahead = usize::try_from(ahead_s.div_ceil(step_s))
            .unwrap_or(1)
            .max(1);
        Self {
            step_s,
            ahead,
            quantile: setting.quantile.clamp(0.0, 1.0),
            season: steps(season_s).max(1),
            samples: VecDeque::new(),
            levels: VecDeque::new(),
            open: VecDeque::new(),
            long: Window::new(steps(LONG_S)),
            short: Window::new(steps(SHORT_S)),
            closed: 0,
        }
    }

    /// Takes the sample of the next step; `None` where there was no good one.
    pub fn observe(&mut self, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite() && *value >= 0.0);
        let usual = self.around(0).map(|mut samples| middle(&mut samples));
        self.check(value);
        self.samples.push_back(value.unwrap_or(f64::NAN));
        if self.samples.len() > self.season * SEASONS + BESIDE + self.ahead {
            self.samples.pop_front();
        }
        let level = match (value, usual) {
            (Some(value), Some(usual)) if usual > 0.0 => value / usual,
            _ => f64::NAN,
        };
        self.levels.push_back(level);
        if self.levels.len() as u64 > (LEVEL_S / self.step_s).max(1) {
            self.levels.pop_front();
        }
        let forecast = self.forecast();
        self.open.push_back(forecast);
    }

    /// What is expected `ahead` from the last sample; `None` while less than a season is known.
    #[must_use]
    pub fn expected(&self) -> Option<Expected> {
        let (value, _) = (*self.open.back()?)?;
        let long = &self.long;
        let share = |part: f64, of: f64| if of > 0.0 { part / of } else { f64::INFINITY };
        let mase = share(long.error, long.naive);
        let coverage = share(f64::from(long.below), f64::from(long.count));
        // Half a week of checks at least: less says little of a week.
        let enough = usize::try_from(long.count).is_ok_and(|count| count * 2 >= long.steps);
        Some(Expected {
            value,
            ahead_s: self.ahead as u64 * self.step_s,
            error: share(long.error, f64::from(long.count)),
            mase,
            coverage,
            good: enough
                && mase < 1.0
                && long.error < long.as_now
                && (coverage - self.quantile).abs() <= COVERAGE
                && self.closed == 0,
        })
    }

    /// The best of several forecasts of one signal, one for each season: of those that are good the
    /// one with the smallest error; else the first that says anything.
    #[must_use]
    pub fn best(forecasters: &[Self]) -> Option<Expected> {
        let mut expected = forecasters.iter().filter_map(Self::expected);
        let first = expected.next()?;
        Some(expected.fold(first, |best, next| {
            // By the error itself: MASE measures each season by its own yardstick.
            let better = next.good && (!best.good || next.error < best.error);
            if better { next } else { best }
        }))
    }

    /// What was measured around the step that is `later` steps after the next one, in seasons
    /// before.
    fn around(&self, later: usize) -> Option<Vec<f64>> {
        let next = self.samples.len() + later;
        let mut found = Vec::with_capacity(SEASONS * (2 * BESIDE + 1));
        for season in 1..=SEASONS {
            let Some(center) = next.checked_sub(season * self.season) else {
                break;
            };
            let from = center.saturating_sub(BESIDE);
            let until = (center + BESIDE + 1).min(self.samples.len());
            let samples = self.samples.range(from.min(until)..until);
            found.extend(samples.filter(|sample| sample.is_finite()));
        }
        (found.len() > BESIDE).then_some(found)
    }

    /// The quantile and the middle of what is expected.
    fn forecast(&self) -> Option<(f64, f64)> {
        let mut samples = self.around(self.ahead - 1)?;
        let mut levels: Vec<f64> = self.levels.iter().copied().collect();
        levels.retain(|level| level.is_finite());
        let level = if levels.is_empty() {
            1.0
        } else {
            middle(&mut levels).clamp(LEVEL.0, LEVEL.1)
        };
        let at = quantile(&mut samples, self.quantile);
        Some((at * level, middle(&mut samples) * level))
    }

    /// Compares what was forecast for this step with what came.
    fn check(&mut self, value: Option<f64>) {
        if self.open.len() < self.ahead {
            return;
        }
        let forecast = self.open.pop_front().flatten();
        let naive = self.samples.len().checked_sub(self.season);
        let naive = naive.and_then(|at| self.samples.get(at)).copied();
        let as_now = self.samples.len().checked_sub(self.ahead);
        let as_now = as_now.and_then(|at| self.samples.get(at)).copied();
        let check = match (value, forecast, naive, as_now) {
            (Some(value), Some((at, middle)), Some(naive), Some(as_now))
                if naive.is_finite() && as_now.is_finite() =>
            {
                Some(Check {
                    error: (value - middle).abs(),
                    naive: (value - naive).abs(),
                    as_now: (value - as_now).abs(),
                    below: value <= at,
                })
            }
            _ => None,
        };
        self.long.push(check);
        self.short.push(check);
        if self.short.error > self.short.as_now * WORSE {
            self.closed = CLOSED_S / self.step_s;
        } else {
            self.closed = self.closed.saturating_sub(1);
        }
    }
}

fn middle(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share of `values` lies. They are never empty here.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the number of samples is small, and the share is from 0 to 1"
    )]
    let at = ((values.len() - 1) as f64 * share).ceil() as usize;
    let (_, value, _) = values.select_nth_unstable_by(at, f64::total_cmp);
    *value
}

#[cfg(test)]
mod tests {
    use super::*;
    use strat_model::burst::ForecastMode;

    const STEP_S: u64 = 300;

    fn setting(quantile: f64) -> ForecastSetting {
        ForecastSetting {
            of: "rps".to_owned(),
            seasons_s: vec![7 * 86_400],
            quantile,
            mode: ForecastMode::Floor,
        }
    }

    /// Office hours with noise.
    fn office(step: u64, random: &mut fastrand::Rng) -> f64 {
        let (day, second) = (step * STEP_S / 86_400 % 7, step * STEP_S % 86_400);
        let busy = day < 5 && (9 * 3600..17 * 3600).contains(&second);
        (if busy { 1000.0 } else { 100.0 }) * (1.0 + 0.05 * (random.f64() * 2.0 - 1.0))
    }

    fn fed(weeks: u64, of: impl Fn(u64, &mut fastrand::Rng) -> f64) -> Forecaster {
        let mut forecaster = Forecaster::new(&setting(0.9), 7 * 86_400, STEP_S, 900);
        let mut random = fastrand::Rng::with_seed(1);
        for step in 0..weeks * 7 * 86_400 / STEP_S {
            forecaster.observe(Some(of(step, &mut random)));
        }
        forecaster
    }

    #[test]
    fn a_week_like_the_others_is_foreseen() {
        let mut forecaster = fed(4, office);
        // Monday, ten minutes to nine: in fifteen minutes it is busy.
        let mut random = fastrand::Rng::with_seed(2);
        for step in 0..(9 * 3600 - 600) / STEP_S {
            forecaster.observe(Some(office(step, &mut random)));
        }
        let expected = forecaster.expected().expect("a forecast");
        assert!(expected.good, "{expected:?}");
        assert!((950.0..1150.0).contains(&expected.value), "{expected:?}");
        assert_eq!(expected.ahead_s, 900);
    }

    #[test]
    fn without_a_season_of_history_nothing_is_expected() {
        let forecaster = fed(0, office);
        assert_eq!(forecaster.expected(), None);
        let forecaster = fed(1, office);
        assert!(forecaster.expected().is_none_or(|expected| !expected.good));
    }

    #[test]
    fn what_has_no_season_is_not_used() {
        // A walk by chance: no week is like another.
        let walk = std::cell::Cell::new(500.0_f64);
        let forecaster = fed(6, |_, random| {
            walk.set((walk.get() + (random.f64() - 0.5) * 40.0).clamp(10.0, 5000.0));
            walk.get()
        });
        let expected = forecaster.expected().expect("a forecast");
        assert!(!expected.good, "{expected:?}");
    }

    #[test]
    fn gaps_are_no_zeros() {
        let mut forecaster = fed(4, office);
        let before = forecaster.expected().expect("a forecast");
        for _ in 0..6 {
            forecaster.observe(None);
            forecaster.observe(Some(f64::NAN));
        }
        let after = forecaster.expected().expect("a forecast");
        assert!(after.value > before.value * 0.8, "{before:?} {after:?}");
    }
}
