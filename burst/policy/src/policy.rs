//! The settings of a burst, checked and made ready.

use strat_model::burst::{BurstPolicy, ForecastMode, Signal, SignalKind};

use crate::windows::{self, Compiled, WindowError};

/// A burst's settings, with their time zones and cron lines read.
#[derive(Debug, Clone)]
pub struct Policy {
    settings: BurstPolicy,
    windows: Vec<Compiled>,
}

/// What is wrong with the settings.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There would be more machines than there may be.
    #[error("{what} asks for {min} machines, and max is {max}")]
    AboveMax {
        /// What asks.
        what: String,
        /// For how many.
        min: u32,
        /// How many there may be.
        max: u32,
    },
    /// A window is impossible.
    #[error("window {name}: {why}")]
    Window {
        /// Its name.
        name: String,
        /// Why.
        why: WindowError,
    },
    /// A number of a signal is impossible.
    #[error("{signal}: {what}")]
    Signal {
        /// Its name.
        signal: String,
        /// What is impossible.
        what: &'static str,
    },
    /// Two signals have one name.
    #[error("two signals are named {0}")]
    Twice(String),
    /// A forecast is of nothing.
    #[error("the forecast is of `{0}`, which is no demand here")]
    NoDemand(String),
    /// A forecast's numbers are impossible.
    #[error("a forecast needs a quantile between 0 and 1, and seasons of an hour to four weeks")]
    Forecast,
}

impl Policy {
    /// Checks settings.
    ///
    /// # Errors
    ///
    /// If they ask for what is impossible.
    pub fn new(settings: BurstPolicy) -> Result<Self, PolicyError> {
        let above = |what: String, min: u32| {
            let max = settings.max;
            (min > max).then_some(PolicyError::AboveMax { what, min, max })
        };
        if let Some(wrong) = above("min".to_owned(), settings.min) {
            return Err(wrong);
        }
        let mut compiled = Vec::new();
        for window in &settings.windows {
            let name = || window.name.clone();
            if let Some(wrong) = above(format!("window {}", name()), window.min) {
                return Err(wrong);
            }
            let ready = windows::compile(window);
            compiled.push(ready.map_err(|why| PolicyError::Window { name: name(), why })?);
        }
        let mut names = std::collections::BTreeSet::new();
        for signal in &settings.signals {
            if !names.insert(&signal.name) {
                return Err(PolicyError::Twice(signal.name.clone()));
            }
            if let Some(what) = impossible(&signal.means) {
                let signal = signal.name.clone();
                return Err(PolicyError::Signal { signal, what });
            }
        }
        check_measured(&settings)?;
        check_forecast(&settings)?;
        Ok(Self {
            windows: compiled,
            settings,
        })
    }

    /// What was set.
    #[must_use]
    pub fn settings(&self) -> &BurstPolicy {
        &self.settings
    }

    pub(crate) fn windows(&self) -> &[Compiled] {
        &self.windows
    }

    /// Whether a forecast counts; with what one machine carries of what is forecast, unless that is
    /// measured.
    pub(crate) fn forecast(&self) -> Option<(Option<f64>, ForecastMode)> {
        let forecast = self.settings.forecast.as_ref()?;
        let mut signals = self.settings.signals.iter();
        let of = signals.find(|signal| signal.name == forecast.of)?;
        match of.means {
            SignalKind::Demand { each } => Some((Some(each), forecast.mode)),
            SignalKind::Measured => Some((None, forecast.mode)),
            _ => None,
        }
    }

    /// The signals whose load moves, with their mean time of service in seconds.
    pub(crate) fn services(&self) -> impl Iterator<Item = (&str, f64)> {
        self.settings.signals.iter().filter_map(|signal| {
            let SignalKind::Wait(goal) = &signal.means else {
                return None;
            };
            Some((signal.name.as_str(), goal.service_s))
        })
    }
}

/// What a machine carries is learnt from one demand and one utilisation.
fn check_measured(settings: &BurstPolicy) -> Result<(), PolicyError> {
    let all = settings.signals.iter();
    let mut measured = all
        .clone()
        .filter(|signal| matches!(signal.means, SignalKind::Measured));
    let busy = all.filter(|signal| matches!(signal.means, SignalKind::Utilisation { .. }));
    let wrong = |signal: &Signal, what| {
        let signal = signal.name.clone();
        Err(PolicyError::Signal { signal, what })
    };
    let Some(first) = measured.next() else {
        return Ok(());
    };
    if let Some(second) = measured.next() {
        return wrong(
            second,
            "of one demand alone it is measured what a machine carries",
        );
    }
    if busy.count() != 1 {
        let what = "what a machine carries is measured where it is known how busy the machines are, by one signal";
        return wrong(first, what);
    }
    Ok(())
}

fn check_forecast(settings: &BurstPolicy) -> Result<(), PolicyError> {
    let Some(forecast) = &settings.forecast else {
        return Ok(());
    };
    let demand = settings.signals.iter().any(|signal| {
        let demand = matches!(
            signal.means,
            SignalKind::Demand { .. } | SignalKind::Measured
        );
        signal.name == forecast.of && demand
    });
    if !demand {
        return Err(PolicyError::NoDemand(forecast.of.clone()));
    }
    let seasons = &forecast.seasons_s;
    let possible = |season: &u64| (3600..=28 * 86_400).contains(season);
    if seasons.is_empty()
        || !seasons.iter().all(possible)
        || !(forecast.quantile > 0.0 && forecast.quantile < 1.0)
    {
        return Err(PolicyError::Forecast);
    }
    Ok(())
}

/// What is impossible of the numbers of a signal.
fn impossible(means: &SignalKind) -> Option<&'static str> {
    let positive = |number: f64| number.is_finite() && number > 0.0;
    match means {
        SignalKind::Demand { each } if !positive(*each) => {
            Some("a machine carries more than nothing")
        }
        SignalKind::Utilisation { target } if !(positive(*target) && *target <= 1.0) => {
            Some("a target is above 0 and at most 1")
        }
        SignalKind::Backlog { rate, drain_in_s } if !positive(*rate) || *drain_in_s == 0 => {
            Some("a rate and the time to drain in are above zero")
        }
        SignalKind::Wait(goal) => {
            let times = positive(goal.service_s)
                && goal.within_s.is_finite()
                && goal.within_s >= 0.0
                && goal.patience_s.is_none_or(positive)
                && positive(goal.variability);
            let share = goal.share > 0.0 && goal.share < 1.0;
            (!times || !share || goal.slots == 0).then_some(
                "times of service, slots and variability are above zero, and a share is between 0 and 1",
            )
        }
        _ => None,
    }
}
