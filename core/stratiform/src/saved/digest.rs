//! The digest of a plan on disk: of all that is in it, so that nothing is changed unseen.

use std::io;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The key of the digest.
const KEY: &str = "digest";

/// A digest in the making: of everything but the changes, then of each change. It is of what the
/// JSON says, not of how it is laid out.
#[derive(Debug, Clone)]
pub(crate) struct PlanDigest(Sha256);

impl PlanDigest {
    /// Begins with all that is no change.
    pub(super) fn of_rest(plan: &Map<String, Value>) -> Self {
        let mut digest = Self(Sha256::new());
        digest.json(plan);
        digest
    }

    /// Takes the next change in.
    pub(super) fn take(&mut self, change: &Value) {
        self.json(change);
    }

    /// The digest, in hex digits.
    pub(super) fn finish(&self) -> String {
        let bytes = self.0.clone().finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        // A value that was read or made as JSON always has a JSON form, and a digest takes every
        // write. Were it not so, the digest would not be that of the file.
        let _ = serde_json::to_writer(&mut *self, value);
        // What follows is apart from it: no JSON has such a byte.
        self.0.update([0]);
    }
}

impl io::Write for &mut PlanDigest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the digest out of a plan's JSON, and compares it with what the rest says.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_digest(plan: &mut Map<String, Value>) -> Result<(), String> {
    let said = match plan.remove(KEY) {
        Some(Value::String(said)) => said,
        _ => {
            return Err(
                "it has no `digest`: an older program wrote it, or it was changed".to_owned(),
            );
        }
    };
    match of(plan) == said {
        true => Ok(()),
        false => Err("it was changed since it was written: its `digest` is of another".to_owned()),
    }
}

/// The digest of a plan without one.
fn of(plan: &mut Map<String, Value>) -> String {
    let changes = plan.remove("changes");
    let mut digest = PlanDigest::of_rest(plan);
    if let Some(changes) = changes {
        for change in changes.as_array().into_iter().flatten() {
            digest.take(change);
        }
        plan.insert("changes".to_owned(), changes);
    }
    digest.finish()
}

/// Gives a plan that a test wrote by hand its digest.
#[cfg(test)]
pub(super) fn seal(plan: &mut Value) {
    let plan = plan.as_object_mut().expect("an object");
    plan.remove(KEY);
    let digest = of(plan);
    plan.insert(KEY.to_owned(), digest.into());
}
