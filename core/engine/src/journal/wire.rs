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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Line {
    /// The version of the line's form.
    #[cfg_attr(feature = "schema", schemars(extend("const" = VERSION)))]
    pub(super) v: u32,
    /// When it was written.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "String", extend("format" = "date-time"))
    )]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum Record {
    /// A run began.
    RunStarted {
        /// The plan's id.
        plan: String,
        /// Whose things it is about: `topology`, or `realm/topology`.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
        owner: String,
        /// Who ran it.
        holder: String,
        /// The command.
        command: String,
        /// The generation of the lease.
        generation: u64,
    },
    /// A call is about to be made.
    Started {
        /// The call's number in the journal.
        entry: u64,
        /// The plan's id.
        plan: String,
        /// The step's number in the plan.
        step: u32,
        /// Whose things it is about: `topology`, or `realm/topology`.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
        owner: String,
        /// What it is about.
        #[cfg_attr(feature = "schema", schemars(with = "strat_model::Addr"))]
        addr: String,
        /// The site.
        #[cfg_attr(feature = "schema", schemars(with = "strat_model::Name"))]
        site: String,
        /// The kind of thing.
        kind: Kind,
        /// What it does.
        operation: Operation,
        /// The generation that the marks of what it makes say.
        generation: u64,
        /// What makes a repeated create harmless.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "strat_model::Token"))]
        token: Option<String>,
        /// The names of what it makes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<String>,
        /// The digest of the spec it makes or brings about.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::SHORT_DIGEST)))]
        spec: String,
        /// The ids of what it changes or deletes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
    },
    /// A call was carried out.
    Succeeded {
        /// The call's number in the journal.
        entry: u64,
        /// The ids of what it made.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
    },
    /// A call failed.
    Failed {
        /// The call's number in the journal.
        entry: u64,
        /// What went wrong.
        kind: ErrorKind,
        /// The same for people: kind, code and request id, never a cloud's own words.
        message: String,
        /// Whether it may have been carried out all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        outcome_unknown: bool,
    },
    /// A run came to its end.
    RunFinished {
        /// The plan's id.
        plan: String,
        /// How many steps ended how.
        counts: Counts,
        /// Whether it was stopped.
        interrupted: bool,
    },
    /// Everything that a topology asks for is there: what "deleted behind our back" is told from.
    Applied {
        /// Whose things it is about: `topology`, or `realm/topology`.
        #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::OWNER)))]
        owner: String,
        /// How many things there are at each address.
        #[cfg_attr(
            feature = "schema",
            schemars(with = "BTreeMap<strat_model::Addr, u32>")
        )]
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
