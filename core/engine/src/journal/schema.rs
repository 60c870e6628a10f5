//! The JSON Schema of the journal.

use serde_json::Value;
use strat_model::schema::of_titled;

use super::wire::Line;

/// The JSON Schema of one line of the journal, as this program writes it.
#[must_use]
pub fn journal_schema() -> Value {
    let what = "The journal is a file of such lines, each a JSON object with one record.";
    of_titled::<Line>("A line of a Stratiform journal", what)
}
