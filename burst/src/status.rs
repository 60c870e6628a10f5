//! What the controller says of itself, in a file beside the decisions.

use std::path::Path;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_burst_policy::Decision;
use stratiform::engine::files;

use crate::log::FOLDER;
use crate::pause::Pause;

/// The version of the status' form.
pub const FORMAT_VERSION: u32 = 1;
const FILE_NAME: &str = "status.json";
/// No status is as large as this.
const BYTES_MAX: u64 = 4 << 20;

/// How bursts do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// The version of this form.
    #[cfg_attr(feature = "schema", schemars(extend("const" = FORMAT_VERSION)))]
    pub format_version: u32,
    /// When it was written.
    pub at: Timestamp,
    /// The time from one decision to the next, in seconds.
    pub interval_s: u64,
    /// Who leads; `None` where nobody is known to.
    pub leader: Option<LeaderStatus>,
    /// Whether the controller that wrote this leads.
    pub leading: bool,
    /// The pause, if somebody asked that nothing be done.
    #[serde(default)]
    pub paused: Option<Pause>,
    /// Each burst.
    pub bursts: Vec<BurstStatus>,
    /// What is wrong with the controller as a whole.
    pub problems: Vec<String>,
}

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeaderStatus {
    /// Who: `user@host`.
    pub holder: String,
    /// The generation of its lease.
    pub epoch: u64,
    /// When its lease ends unless it is renewed.
    pub until: Option<Timestamp>,
}

#[cfg(feature = "run")]
impl LeaderStatus {
    /// Who holds a lease.
    pub(crate) fn of(lease: &stratiform::engine::Lease) -> Self {
        Self {
            holder: lease.holder.who(),
            epoch: lease.generation,
            until: Some(lease.expires),
        }
    }
}

/// How one burst does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BurstStatus {
    /// Its name.
    pub name: String,
    /// The fleet.
    pub fleet: String,
    /// The fewest machines.
    pub min: u32,
    /// The most machines.
    pub max: u32,
    /// How many there are to be.
    pub want: u32,
    /// How many work.
    pub ready: u32,
    /// How many are on their way.
    pub pending: u32,
    /// How many are to go.
    pub draining: u32,
    /// How many are where nobody can see.
    pub unseen: u32,
    /// What holds the number back.
    pub limited_by: Vec<String>,
    /// What somebody should look at.
    pub alarms: Vec<String>,
    /// The last decision.
    pub last: Option<LastDecision>,
    /// What an hour costs now, in US dollars.
    pub hour: Decimal,
    /// What was spent in this month, in US dollars.
    pub month: Decimal,
    /// How long batch machines that gave way in this month had run, in seconds.
    #[serde(default)]
    pub batch_lost_s: u64,
    /// The limit, in words.
    pub limit: Option<String>,
}

/// A decision in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastDecision {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// What it came to: `up`, `down`, `hold` or `none`.
    pub action: String,
    /// The need or limit that decided it.
    pub decided_by: String,
}

impl BurstStatus {
    /// How a burst does, by its last decision.
    #[must_use]
    pub fn of(
        fleet: &str,
        (min, max): (u32, u32),
        id: &str,
        decision: &Decision,
        alarms: &[String],
    ) -> Self {
        let counts = &decision.inventory;
        let mut limited_by: Vec<String> = Vec::new();
        for limit in &decision.limits {
            if !limited_by.contains(&limit.by) {
                limited_by.push(limit.by.clone());
            }
        }
        Self {
            name: decision.burst.clone(),
            fleet: fleet.to_owned(),
            min,
            max,
            want: decision.want,
            ready: counts.ready,
            pending: counts.pending,
            draining: counts.draining,
            unseen: counts.unseen,
            limited_by,
            alarms: decision.alarms.iter().chain(alarms).cloned().collect(),
            last: Some(LastDecision {
                id: id.to_owned(),
                at: decision.at,
                action: word(decision),
                decided_by: decision.decided_by.clone(),
            }),
            hour: decision.cost.hour_after,
            month: decision.cost.month_to_date,
            batch_lost_s: decision.cost.batch_lost_s,
            limit: decision.cost.limit.clone(),
        }
    }
}

/// What a decision came to, in a word.
#[must_use]
pub fn word(decision: &Decision) -> String {
    let word = serde_json::to_value(decision.action).ok();
    let word = word.and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default()
}

impl Status {
    /// Writes it into a state folder, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, state: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        files::replace(&state.join(FOLDER).join(FILE_NAME), &text)
    }

    /// The last one that was written; `None` where there is none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(state: &Path) -> std::io::Result<Option<Self>> {
        let path = state.join(FOLDER).join(FILE_NAME);
        let Some(bytes) = files::read(&path, BYTES_MAX)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    /// Whether whoever wrote this writes no more: three intervals have passed.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.at).as_secs();
        age > i64::try_from(3 * self.interval_s.max(10)).unwrap_or(i64::MAX)
    }
}
