//! The JSON Schema of the journal.

use schemars::generate::SchemaSettings;
use serde_json::Value;
use strat_model::schema::describe;

use super::wire::Line;

/// The JSON Schema of one line of the journal, as this program writes it.
#[must_use]
pub fn journal_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Line>();
    let mut schema = schema.to_value();
    schema["title"] = "A line of a Stratiform journal".into();
    schema["description"] =
        "The journal is a file of such lines, each a JSON object with one record.".into();
    describe(&mut schema);
    schema
}
