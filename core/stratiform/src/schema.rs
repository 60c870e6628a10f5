//! The JSON Schema of a plan on disk.

use serde_json::Value;
use strat_model::schema::of_written;

use crate::saved::Whole;

/// The JSON Schema of what [`SavedPlan::to_json`](crate::SavedPlan::to_json) gives.
#[must_use]
pub fn plan_schema() -> Value {
    of_written::<Whole>(
        "What `strat plan --json` answers, and `strat plan --out` writes to a file.",
    )
}
