//! The JSON Schemas of topology, plan, journal, answers and bursts: what the code gives, and where it is
//! committed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use stratiform::{answer, engine, topology};

/// A schema and the file it is committed in.
#[derive(Debug)]
pub struct Document {
    /// What it describes, such as `topology`.
    pub name: &'static str,
    /// What the code gives.
    pub schema: Value,
}

impl Document {
    /// The committed file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
        folder.join(format!("{}.schema.json", self.name))
    }

    /// The text of the file as it is to be.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", self.schema)
    }
}

/// All schemas.
#[must_use]
pub fn documents() -> [Document; 11] {
    let document = |name, schema| Document { name, schema };
    [
        document("topology", topology::json_schema()),
        document("plan", stratiform::plan_schema()),
        document("journal", engine::journal_schema()),
        document("show", answer::show_schema()),
        document("offers", answer::offers_schema()),
        document("reach", answer::reach_schema()),
        document("apply", answer::apply_schema()),
        document("apply-events", answer::apply_events_schema()),
        document("error", answer::error_schema()),
        document("burst-status", strat_burst::status_schema()),
        document("burst-decision", strat_burst::decision_schema()),
    ]
}
