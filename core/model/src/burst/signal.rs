//! What a burst measures.

use serde::{Deserialize, Serialize};

/// Something that is measured, and what it says of the number of machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signal {
    /// Its name, unique in the policy.
    pub name: String,
    /// The query that gives the number.
    pub query: String,
    /// What the number means.
    pub means: SignalKind,
    /// A value older than this, in seconds, is stale.
    #[serde(default = "two_minutes")]
    pub stale_s: u64,
    /// The least and the largest value that can be true.
    #[serde(default)]
    pub sane: Option<(f64, f64)>,
    /// What it says while there is no good value.
    #[serde(default)]
    pub missing: Missing,
    /// How long it may hold the count without a good value, in seconds. After that it is left out
    /// wherever another signal is good.
    #[serde(default = "hour")]
    pub hold_s: u64,
}

const fn two_minutes() -> u64 {
    120
}

const fn hour() -> u64 {
    3600
}

impl Signal {
    /// A signal with the defaults of the language.
    #[must_use]
    pub fn new(name: impl Into<String>, query: impl Into<String>, means: SignalKind) -> Self {
        Self {
            name: name.into(),
            query: query.into(),
            means,
            stale_s: two_minutes(),
            sane: None,
            missing: Missing::default(),
            hold_s: hour(),
        }
    }
}

/// What a measured number means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SignalKind {
    /// Work per time, of which a machine carries a known amount.
    Demand {
        /// What one machine carries.
        each: f64,
    },
    /// Work per time. What a machine of each offer carries is learnt from it and from how busy the
    /// machines are: the policy has exactly one [`SignalKind::Utilisation`] beside it.
    Measured,
    /// How busy the machines are, from 0 to 1.
    Utilisation {
        /// How busy they are to be.
        target: f64,
    },
    /// Arrivals per second, of which a share has to begin within a time.
    Wait(WaitGoal),
    /// Work that lies there, to be done in a time.
    Backlog {
        /// What one machine does in a second.
        rate: f64,
        /// The time to do it in, in seconds.
        drain_in_s: u64,
    },
}

/// How long arrivals may wait for a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WaitGoal {
    /// The mean time of service, in seconds.
    pub service_s: f64,
    /// How many are served at once by one machine.
    pub slots: u32,
    /// Whether the machines share one queue.
    pub queue: Queue,
    /// The time within which service has to begin, in seconds.
    pub within_s: f64,
    /// The share of arrivals for which that has to hold, below 1.
    pub share: f64,
    /// The squared coefficients of variation of the times between arrivals and of service, halved
    /// and added: 1 for Poisson arrivals and exponential service.
    pub variability: f64,
    /// The mean patience of those who wait, in seconds; `None`: nobody leaves.
    pub patience_s: Option<f64>,
}

/// Who takes from which queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// All machines take from one queue.
    #[default]
    Shared,
    /// Each machine has its own, and arrivals are sent to one by chance.
    Random,
}

/// What a signal says while there is no good value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// As many machines as there are.
    #[default]
    Hold,
    /// The most machines.
    Max,
    /// So many machines; but none goes for it before the signal's hold is over.
    Machines(u32),
}
