//! What a decision says: all that went into it, and what is to be done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The version of the form of decisions.
pub const FORMAT_VERSION: u32 = 1;

/// What is to be done now, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// The version of this form.
    #[cfg_attr(feature = "schema", schemars(extend("const" = FORMAT_VERSION)))]
    pub format_version: u32,
    /// The burst.
    pub burst: String,
    /// The instant that it is for.
    pub at: Timestamp,
    /// The generation of the lease.
    pub epoch: u64,
    /// What the signals said.
    pub signals: Vec<SignalReport>,
    /// What there is.
    pub inventory: Counts,
    /// What is needed, by whom.
    pub needs: Vec<Need>,
    /// The largest need of what is measured and forecast, before anything slows it down.
    pub need: u32,
    /// How many machines are to be there.
    pub want: u32,
    /// The need or limit that decided it.
    pub decided_by: String,
    /// What was held back, in the order in which that was found.
    pub limits: Vec<Limit>,
    /// What it comes to.
    pub action: Action,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// Moves to a cheaper place.
    pub moving: Moving,
    /// What it costs.
    pub cost: Cost,
    /// What somebody should look at.
    pub alarms: Vec<String>,
}

/// What one signal said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignalReport {
    /// Its name.
    pub name: String,
    /// Its kind, as in the language.
    pub kind: String,
    /// Its value, where it was a number.
    pub value: Option<f64>,
    /// Its age in seconds, where there was one.
    pub age_s: Option<i64>,
    /// Whether it is good.
    pub state: SignalState,
    /// Whether it took part in the decision.
    pub used: bool,
}

/// Whether a sample can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignalState {
    /// It can.
    Ok,
    /// There is none.
    Missing,
    /// It is too old, or from the future.
    Stale,
    /// It is no number.
    Nan,
    /// It is outside of what can be true.
    Insane,
}

impl SignalState {
    /// Whether the value is relied on.
    #[must_use]
    pub fn is_good(self) -> bool {
        self == Self::Ok
    }
}

/// How many machines there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counts {
    /// That work.
    pub ready: u32,
    /// That are asked for and expected.
    pub pending: u32,
    /// That are to go.
    pub draining: u32,
    /// At sites that cannot be seen.
    pub unseen: u32,
    /// That were asked for and are overdue.
    pub late: u32,
    /// All of them, by site.
    pub by_site: BTreeMap<String, u32>,
}

impl Counts {
    /// What counts as there.
    #[must_use]
    pub fn have(&self) -> u32 {
        self.ready + self.pending + self.unseen
    }
}

/// How many machines something asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Need {
    /// What asks: a signal, `window NAME`, `forecast`, `min`.
    pub by: String,
    /// How many.
    pub machines: u32,
    /// Why so many.
    pub because: String,
}

/// That a number was held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limit {
    /// By what.
    pub by: String,
    /// The number before.
    pub from: u32,
    /// The number after.
    pub to: u32,
}

/// What a decision comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// More machines.
    Up,
    /// Fewer machines.
    Down,
    /// Another number is wanted or may be, and something holds it.
    Hold,
    /// All is as it is to be.
    None,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Machines that drain are put back to work.
    Resume,
    /// Machines are made.
    Create,
    /// Batch machines are told to give way.
    Preempt,
    /// Machines are emptied, to go.
    Drain,
    /// Machines that are empty, late or overdue go.
    Release,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// What.
    pub op: Op,
    /// The site.
    pub site: String,
    /// The zone.
    pub zone: String,
    /// The cloud's name for the size; empty for batch machines.
    pub offer: String,
    /// Whether the cloud may take it back.
    pub spot: bool,
    /// How many.
    pub count: u32,
    /// What all of them cost in an hour, in US dollars.
    pub usd_hour: Decimal,
    /// Which; empty for what is made.
    pub ids: Vec<String>,
}

/// Machines that take the place of dearer ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Moving {
    /// Made now for it.
    pub made: u32,
    /// Told to go now, since their successors are there.
    pub gone: u32,
    /// Still to go, once their successors are there.
    pub left: u32,
}

/// What a decision costs, in US dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// All machines in an hour, before.
    pub hour_before: Decimal,
    /// All machines in an hour, after what is made.
    pub hour_after: Decimal,
    /// Spent in this month.
    pub month_to_date: Decimal,
    /// How long batch machines that gave way in this month had run, in seconds.
    #[serde(default, skip_serializing_if = "crate::inputs::is_none")]
    pub batch_lost_s: u64,
    /// The lowest limit that is set, in words.
    pub limit: Option<String>,
}
