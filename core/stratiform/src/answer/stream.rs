//! What is told while an apply goes on, line by line.

use jiff::Timestamp;
use serde::Serialize;
use strat_engine::Event;
use strat_model::Owner;
use strat_planner::Summary;

use super::{Applied, Failed, Version};

/// One line: what happened, and when.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line<'a> {
    /// The version of this form.
    pub format_version: Version,
    /// When it was told.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub told: Told<'a>,
}

impl<'a> Line<'a> {
    /// A line of this moment.
    #[must_use]
    pub const fn at(at: Timestamp, told: Told<'a>) -> Self {
        Self {
            format_version: Version,
            at,
            told,
        }
    }
}

/// What happened: in a run, or with the command as a whole.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is what the type of its field says")]
pub enum Told<'a> {
    Event(&'a Event),
    Own(Own<'a>),
}

/// What happened with a command as a whole.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Own<'a> {
    /// The plan was made that is carried out now.
    Planned {
        /// Its id.
        plan: &'a str,
        /// Whose things it is about.
        owner: &'a Owner,
        /// How many real things each action touches.
        summary: Summary,
    },
    /// The last line: what became of it.
    Applied(&'a Applied<'a>),
    /// The last line: it did not come to its end.
    Failed(&'a Failed<'a>),
}
