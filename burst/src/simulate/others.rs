//! The policies that a policy is compared with.

use strat_burst_policy::Expected;
use strat_model::burst::{BurstPolicy, ForecastMode, ForecastSetting, SignalKind};

use super::setting::Setting;
use super::trace::Trace;

/// Where what is expected comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foresight {
    /// Nowhere.
    None,
    /// The policy's own forecast.
    Own,
    /// The mean of each hour of four weeks, known when the hour begins: what predictive scaling by
    /// the hour does.
    Hourly,
}

/// A policy, the world in which it is tried, and what it knows.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) policy: BurstPolicy,
    pub(crate) setting: Setting,
    pub(crate) foresight: Foresight,
}

/// The user's policy, and four to compare it with. All share its limits, steps and times, so that
/// what differs is what they know, or where they may run.
pub(crate) fn variants(policy: &BurstPolicy, setting: &Setting) -> Vec<Variant> {
    let variant = |name, policy: &BurstPolicy, setting: &Setting, foresight| Variant {
        name,
        policy: policy.clone(),
        setting: setting.clone(),
        foresight,
    };
    let mut reactive = policy.clone();
    reactive.forecast = None;
    reactive.windows.clear();
    let mut hourly = reactive.clone();
    let demand = policy.signals.iter().find_map(|signal| match signal.means {
        SignalKind::Demand { .. } | SignalKind::Measured => Some(signal.name.clone()),
        _ => None,
    });
    hourly.forecast = demand.map(|of| ForecastSetting {
        of,
        seasons_s: vec![7 * 86_400],
        quantile: 0.5,
        mode: ForecastMode::Floor,
    });
    let clouds_only = Setting {
        owned: 0,
        batch: 0,
        ..setting.clone()
    };
    let owned_only = Setting {
        clouds: Vec::new(),
        ..setting.clone()
    };
    vec![
        variant("yours", policy, setting, Foresight::Own),
        variant("reactive", &reactive, setting, Foresight::None),
        variant("hourly", &hourly, setting, Foresight::Hourly),
        variant("all_cloud", policy, &clouds_only, Foresight::Own),
        variant("all_owned", policy, &owned_only, Foresight::Own),
    ]
}

/// The means of hours, of up to four weeks before.
pub(crate) struct Hours<'a> {
    trace: &'a Trace,
    per_hour: usize,
    /// The hour that was last asked for, and its mean.
    known: Option<(usize, Option<f64>)>,
}

impl<'a> Hours<'a> {
    pub(crate) fn new(trace: &'a Trace) -> Self {
        let per_hour = usize::try_from(3600 / trace.step_s.max(1))
            .unwrap_or(1)
            .max(1);
        Self {
            trace,
            per_hour,
            known: None,
        }
    }

    /// What is expected in the hour of a step.
    pub(crate) fn expected(&mut self, step: usize) -> Option<Expected> {
        let hour = step / self.per_hour;
        let mean = match self.known {
            Some((known, mean)) if known == hour => mean,
            _ => self.mean(hour),
        };
        self.known = Some((hour, mean));
        Some(Expected {
            value: mean?,
            ahead_s: 0,
            error: 0.0,
            mase: 0.0,
            coverage: 0.5,
            good: true,
        })
    }

    fn mean(&self, hour: usize) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for week in 1..=4 {
            let from = hour
                .checked_sub(week * 7 * 24)
                .map(|hour| hour * self.per_hour);
            let Some(from) = from else {
                break;
            };
            let until = (from + self.per_hour).min(self.trace.values.len());
            for value in &self.trace.values[from.min(until)..until] {
                if value.is_finite() {
                    sum += value;
                    count += 1.0;
                }
            }
        }
        (count > 0.0).then(|| sum / count)
    }
}
