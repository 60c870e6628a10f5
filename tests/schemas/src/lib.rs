//! The JSON Schemas of topology, plan, journal and bursts: what the code gives, and where it is committed.

use std::path::{Path, PathBuf};

use serde_json::Value;
use stratiform::{engine, topology};

/// A schema and the file it is committed in.
#[derive(Debug)]
pub struct Document {
    /// What it describes: `topology`, `plan`, `journal`, `burst-status` or `burst-decision`.
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
pub fn documents() -> [Document; 5] {
    let document = |name, schema| Document { name, schema };
    [
        document("topology", topology::json_schema()),
        document("plan", stratiform::plan_schema()),
        document("journal", engine::journal_schema()),
        document("burst-status", strat_burst::status_schema()),
        document("burst-decision", strat_burst::decision_schema()),
    ]
}
