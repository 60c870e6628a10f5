//! A pause that a person asked for: it is measured and decided as ever, and nothing is done.
//!
//! It is a file beside the decisions, so that it outlives the controller, and holds for each one that is
//! started in this folder. One on another computer has a folder of its own.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stratiform::engine::files;

use crate::log::FOLDER;

const FILE_NAME: &str = "paused.json";
/// No pause is as large as this.
const BYTES_MAX: u64 = 64 << 10;

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Who asked for it: `user@host`.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: Option<String>,
}

impl Pause {
    /// The pause of a state folder; `None` where there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is no pause. Whoever carries out decisions takes that for one.
    pub fn read(state: &Path) -> std::io::Result<Option<Self>> {
        let Some(bytes) = files::read(&state.join(FOLDER).join(FILE_NAME), BYTES_MAX)? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_slice(&bytes)?))
    }

    /// Begins it, whole or not at all. It counts from the next decision on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(&self, state: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let folder = state.join(FOLDER);
        files::replace(&folder.join(FILE_NAME), &text)
    }

    /// Ends the pause of a state folder; whether there was one.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub fn end(state: &Path) -> std::io::Result<bool> {
        match std::fs::remove_file(state.join(FOLDER).join(FILE_NAME)) {
            Ok(()) => Ok(true),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(why) => Err(why),
        }
    }
}
