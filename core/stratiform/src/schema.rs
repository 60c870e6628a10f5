//! The JSON Schema of a plan on disk.

use schemars::generate::SchemaSettings;
use serde_json::Value;
use strat_model::schema::describe;

use crate::saved::Whole;

/// The JSON Schema of what [`SavedPlan::to_json`](crate::SavedPlan::to_json) gives.
#[must_use]
pub fn plan_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Whole>();
    let mut schema = schema.to_value();
    schema["description"] =
        "What `strat plan --json` answers, and `strat plan --out` writes to a file.".into();
    describe(&mut schema);
    schema
}
