//! What a `burst` block asks for: how the count of a fleet follows its load.
//!
//! Plain settings. What they mean at an instant is decided by the policy, which is a crate of its
//! own and takes this as its configuration.

mod cron;
mod signal;
mod zone;

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use crate::{LocalAddr, Money, Origin};

pub use cron::{Cron, CronError};
pub use signal::{Missing, Queue, Signal, SignalKind, WaitGoal};
pub use zone::{Zone, ZoneError};

/// A burst that a topology declares.
#[derive(Debug, Clone, PartialEq)]
pub struct BurstIntent {
    /// The fleet whose count it holds.
    pub fleet: LocalAddr,
    /// How it follows its load.
    pub policy: BurstPolicy,
    /// Where it stands.
    pub origin: Option<Origin>,
}

/// How the count of one fleet follows its load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BurstPolicy {
    /// The block's name.
    pub name: String,
    /// The fewest machines: the fleet's own count.
    pub min: u32,
    /// The most machines.
    pub max: u32,
    /// Whether it gives way on owned hardware.
    #[serde(default)]
    pub class: BurstClass,
    /// Who gives way to whom: a lower number gives way to a higher one.
    #[serde(default)]
    pub priority: i32,
    /// The time between two decisions, in seconds.
    #[serde(default = "minute")]
    pub interval_s: u64,
    /// Differences of the count up to this share of it are left alone, in percent.
    #[serde(default = "tenth")]
    pub tolerance_percent: u32,
    /// What may be lost while as many machines as are needed are still there; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survive: Option<Survive>,
    /// What each spot machine is asked for whether its cloud takes it back, by HTTP; `None`: nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// What is measured.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// When at least so many machines run, whatever is measured.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// What is expected from weeks before.
    #[serde(default)]
    pub forecast: Option<ForecastSetting>,
    /// How it grows.
    #[serde(default)]
    pub up: Up,
    /// How it shrinks.
    #[serde(default)]
    pub down: Down,
    /// How a machine is emptied before it goes.
    #[serde(default)]
    pub drain: Drain,
    /// What it may cost.
    #[serde(default)]
    pub cost: CostLimits,
    /// What a silent site means.
    #[serde(default)]
    pub lost: Lost,
}

const fn minute() -> u64 {
    60
}

const fn tenth() -> u32 {
    10
}

impl BurstPolicy {
    /// A policy that measures nothing yet, with the defaults of the language.
    #[must_use]
    pub fn new(name: impl Into<String>, min: u32, max: u32) -> Self {
        Self {
            name: name.into(),
            min,
            max,
            class: BurstClass::default(),
            priority: 0,
            interval_s: minute(),
            tolerance_percent: tenth(),
            survive: None,
            notice: None,
            signals: Vec::new(),
            windows: Vec::new(),
            forecast: None,
            up: Up::default(),
            down: Down::default(),
            drain: Drain::default(),
            cost: CostLimits::default(),
            lost: Lost::default(),
        }
    }

    /// The names of its signals that are measured by a query.
    #[must_use]
    pub fn signal_names(&self) -> BTreeSet<&str> {
        let names = self.signals.iter().map(|signal| signal.name.as_str());
        names.collect()
    }
}

/// Whether a fleet gives way on owned hardware.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BurstClass {
    /// Its machines stay, and may take the place of batch machines.
    #[default]
    Online,
    /// Its machines give way to online ones, whole, and come back when there is room.
    Batch,
}

/// What may be lost at once while as many machines as are needed are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Survive {
    /// Any one site.
    Site,
    /// Any one zone: of a fleet that may be at one site only.
    Zone,
}

/// A time in which at least so many machines run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub from: WindowStart,
    /// How long it lasts, in seconds that pass.
    pub for_s: u64,
    /// The time zone in which it begins.
    pub tz: Zone,
    /// The fewest machines in it.
    pub min: u32,
}

/// When a window begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WindowStart {
    /// Once.
    At(DateTime),
    /// At each minute of a cron line.
    Cron(Cron),
}

/// What is expected from weeks before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ForecastSetting {
    /// The demand that is forecast.
    pub of: String,
    /// The periods in which it repeats itself, in seconds.
    pub seasons_s: Vec<u64>,
    /// The share of cases in which demand is to stay below the forecast, between 0 and 1.
    pub quantile: f64,
    /// Whether it counts.
    pub mode: ForecastMode,
}

/// What a forecast is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForecastMode {
    /// At least what is forecast.
    #[default]
    Floor,
    /// It is told, and changes nothing.
    Tell,
}

/// A number of machines, or a share of those that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// This share, in percent; at least one machine.
    Percent(u32),
    /// This many machines.
    Machines(u32),
}

impl Step {
    /// How many machines that is of `count`: a share is rounded down, and one goes in any case.
    #[must_use]
    pub fn of(self, count: u32) -> u32 {
        let step = match self {
            Self::Percent(percent) => {
                let share = u64::from(count) * u64::from(percent) / 100;
                u32::try_from(share).unwrap_or(u32::MAX)
            }
            Self::Machines(machines) => machines,
        };
        step.max(1)
    }
}

/// How a fleet grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Up {
    /// The most that it grows at once.
    pub step: Step,
    /// How long more machines have to be needed, and between two steps, in seconds.
    pub after_s: u64,
}

impl Default for Up {
    fn default() -> Self {
        Self {
            step: Step::Percent(100),
            after_s: 0,
        }
    }
}

/// How a fleet shrinks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Down {
    /// The most that it shrinks at once.
    pub step: Step,
    /// How long fewer machines have to do, and since the last change, in seconds.
    pub after_s: u64,
    /// The most machines that are drained at the same time.
    pub at_once: u32,
    /// No machine goes before it is so old, in seconds.
    pub min_age_s: u64,
}

impl Default for Down {
    fn default() -> Self {
        Self {
            step: Step::Percent(30),
            after_s: 15 * 60,
            at_once: 20,
            min_age_s: 10 * 60,
        }
    }
}

/// How a machine is emptied before it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Drain {
    /// What is asked for it, by HTTP; `None`: nothing.
    pub http: Option<String>,
    /// The program that is run for it, with its arguments; `None`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How long it may take, in seconds.
    pub deadline_s: u64,
    /// What happens to a machine that takes longer.
    pub overdue: Overdue,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            http: None,
            command: None,
            deadline_s: 5 * 60,
            overdue: Overdue::Keep,
        }
    }
}

/// What happens to a machine that is not drained in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Overdue {
    /// It stays, and that is told.
    #[default]
    Keep,
    /// It goes.
    Delete,
}

/// What a burst may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CostLimits {
    /// The most in an hour.
    pub hourly: Option<Money>,
    /// The most in a calendar month.
    pub monthly: Option<Money>,
    /// A machine moves to a cheaper place only if that pays within this time, in seconds.
    pub payback_s: u64,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self {
            hourly: None,
            monthly: None,
            payback_s: 2 * 3600,
        }
    }
}

/// What a silent site means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lost {
    /// How long it has to be silent, in seconds.
    pub after_s: u64,
    /// What is done then.
    pub then: LostThen,
}

impl Default for Lost {
    fn default() -> Self {
        Self {
            after_s: 3 * 60,
            then: LostThen::Hold,
        }
    }
}

/// What is done about the machines of a silent site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LostThen {
    /// They count as running.
    #[default]
    Hold,
    /// They are replaced elsewhere; nothing of them is deleted.
    Replace,
}
