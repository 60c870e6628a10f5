//! The journal's lines, apart from the types of the program.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{ErrorKind, Kind};

use crate::Operation;
use crate::execute::Counts;

/// The version of the journal's form that this program writes; it reads this and older ones.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) v: u32,
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// What every line has in every version.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) v: u32,
}

/// What a line says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    RunStarted {
        plan: String,
        owner: String,
        holder: String,
        command: String,
        generation: u64,
    },
    Started {
        entry: u64,
        plan: String,
        step: u32,
        owner: String,
        addr: String,
        site: String,
        kind: Kind,
        operation: Operation,
        generation: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<String>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        spec: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
    },
    Succeeded {
        entry: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
    },
    Failed {
        entry: u64,
        kind: ErrorKind,
        message: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        outcome_unknown: bool,
    },
    RunFinished {
        plan: String,
        counts: Counts,
        interrupted: bool,
    },
    Applied {
        owner: String,
        entries: BTreeMap<String, u32>,
    },
}

impl Line {
    pub(super) const fn new(at: Timestamp, record: Record) -> Self {
        Self {
            v: VERSION,
            at,
            record,
        }
    }

    /// Appends the line and its end to `bytes`.
    pub(super) fn write_to(&self, bytes: &mut Vec<u8>) {
        // Strings, numbers and maps with string keys always have a JSON form, and a vector takes
        // every write.
        if let Err(why) = serde_json::to_writer(&mut *bytes, self) {
            tracing::error!(%why, "a journal record has no JSON form");
        }
        bytes.push(b'\n');
    }
}
