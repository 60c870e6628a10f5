//! What a lease's register says.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Holder, LeasePolicy};

/// The text of a register. It is written for programs of other versions too: fields are only added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) v: u32,
    /// Grows with every taking.
    pub(super) epoch: u64,
    /// Drawn anew for each writing.
    pub(super) nonce: String,
    /// How long the holder may write after it sent this.
    pub(super) term_ms: u64,
    /// The longest that one attempt of the holder's may take.
    pub(super) attempt_ms: u64,
    /// Who; nobody once it was given back.
    pub(super) holder: Option<Holder>,
    /// The folder of the run that wrote this: its journal knows what that run made.
    #[serde(default)]
    pub(super) folder: Option<String>,
    /// When the holder wrote it, by its clock: for people, nothing is decided by it.
    pub(super) renewed: Timestamp,
    /// Whether the store was seen to hold its conditions.
    #[serde(default)]
    pub(super) proved: bool,
}

/// What was made of a register's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// A record.
    Record(Box<Record>),
    /// Nothing that can be understood: somebody holds it, perhaps.
    Unknown,
    /// A record of a newer program.
    Newer(u32),
}

/// The form of version 1, which was in files alone.
#[derive(Deserialize)]
struct First {
    generation: u64,
    held: Option<FirstHeld>,
}

#[derive(Deserialize)]
struct FirstHeld {
    holder: Holder,
}

/// Version 1's term.
const FIRST_TERM_MS: u64 = 60_000;

impl Record {
    pub(super) const VERSION: u32 = 2;

    /// A record of nobody's.
    pub(super) fn free(epoch: u64, now: Timestamp) -> Self {
        let policy = LeasePolicy::default();
        Self {
            v: Self::VERSION,
            epoch,
            nonce: nonce(),
            term_ms: millis(policy.term),
            attempt_ms: millis(policy.attempt),
            holder: None,
            folder: None,
            renewed: now,
            proved: false,
        }
    }

    /// The same, written anew.
    pub(super) fn renewed(&self, now: Timestamp) -> Self {
        Self {
            nonce: nonce(),
            renewed: now,
            ..self.clone()
        }
    }

    pub(super) fn read(text: &str) -> Said {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
            return Said::Unknown;
        };
        match value.get("v").and_then(serde_json::Value::as_u64) {
            Some(2) => serde_json::from_value(value).map_or(Said::Unknown, Said::Record),
            // An unused record of version 1 had no number yet.
            Some(0 | 1) => serde_json::from_value(value).map_or(Said::Unknown, |first: First| {
                Said::Record(Box::new(Self {
                    term_ms: FIRST_TERM_MS,
                    holder: first.held.map(|held| held.holder),
                    ..Self::free(first.generation, Timestamp::UNIX_EPOCH)
                }))
            }),
            Some(newer) => Said::Newer(u32::try_from(newer).unwrap_or(u32::MAX)),
            None => Said::Unknown,
        }
    }

    /// The text that is kept.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How long it has to be seen unchanged before it may be taken over, on a store that may lag
    /// this long.
    pub(super) fn wait(&self, lag: Duration) -> Duration {
        Duration::from_millis(self.term_ms.saturating_add(self.attempt_ms)).saturating_add(lag)
    }
}

/// A word that nobody else draws.
pub(super) fn nonce() -> String {
    format!("{:032x}", fastrand::u128(..))
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
