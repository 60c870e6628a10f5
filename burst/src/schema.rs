//! The JSON Schemas of what a controller says of itself and of what it records.

use serde_json::Value;
use strat_burst_policy::Record;
use strat_model::schema::of_titled;

use crate::status::Status;

/// The JSON Schema of a controller's status: what is asked of it, in a file or over HTTP.
#[must_use]
pub fn status_schema() -> Value {
    let title = "The status of a Stratiform controller of bursts";
    let what = "What the controller in a folder said last, and what it serves under `/api/status`.";
    of_titled::<Status>(title, what)
}

/// The JSON Schema of a recorded decision: what was decided, with the settings and inputs it was made of.
#[must_use]
pub fn decision_schema() -> Value {
    let title = "A decision of a Stratiform burst";
    let what = "What was decided, with all that it was decided from: under `record` where a decision is explained, and under `decided` in a line of the file of decisions.";
    of_titled::<Record>(title, what)
}
