//! A decision kept with all that it was made of, so that it can be made again.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strat_model::burst::BurstPolicy;

use crate::decide::decide;
use crate::decision::Decision;
use crate::inputs::Inputs;
use crate::policy::{Policy, PolicyError};

/// A decision, with the settings and inputs that it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// Its id: of the burst, the instant and the inputs.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::SHORT_DIGEST)))]
    pub id: String,
    /// The SHA-256 of the settings and inputs as JSON, in hexadecimal.
    #[cfg_attr(feature = "schema", schemars(extend("pattern" = strat_model::schema::SHA256)))]
    pub inputs_digest: String,
    /// The run that carried it out, if any step was to be done.
    pub run: Option<String>,
    /// What was decided.
    #[serde(flatten)]
    pub decision: Decision,
    /// The settings.
    pub settings: BurstPolicy,
    /// The inputs.
    pub inputs: Inputs,
}

/// Why a decision cannot be made again as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The settings are no longer possible.
    #[error("the settings of this decision are not possible")]
    Policy(#[from] PolicyError),
    /// It cannot be written as JSON.
    #[error("the decision cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The inputs are not those that it was made of.
    #[error("the inputs have been changed: their digest is {found}, and {recorded} is recorded")]
    Changed {
        /// What they have now.
        found: String,
        /// What is recorded.
        recorded: String,
    },
    /// The same inputs give something else.
    #[error("the same inputs give another decision now")]
    Differs {
        /// What is recorded, as JSON.
        recorded: String,
        /// What is decided now, as JSON.
        now: String,
    },
}

impl Record {
    /// Decides, and keeps what it was decided from: the settings and inputs as they are read back from
    /// JSON, which may differ from those given in the last digit of a number.
    ///
    /// # Errors
    ///
    /// If they cannot be written as JSON, or their numbers never come back as they were written.
    pub fn of(policy: &Policy, inputs: &Inputs) -> Result<Self, serde_json::Error> {
        let settings = as_read(policy.settings())?;
        let inputs = as_read(inputs)?;
        let exact = Policy::new(settings.clone()).unwrap_or_else(|_| policy.clone());
        let decision = as_read(&decide(&exact, &inputs))?;
        let inputs_digest = digest(&settings, &inputs)?;
        let mut id = Sha256::new();
        for part in [&decision.burst, &decision.at.to_string(), &inputs_digest] {
            id.update(part.as_bytes());
            id.update([0]);
        }
        Ok(Self {
            id: hex(&id.finalize()[..8]),
            inputs_digest,
            run: None,
            decision,
            settings,
            inputs,
        })
    }

    /// Decides again.
    ///
    /// # Errors
    ///
    /// If the inputs were changed, or the decision is not the same to the byte.
    pub fn replay(&self) -> Result<(), ReplayError> {
        let found = digest(&self.settings, &self.inputs)?;
        if found != self.inputs_digest {
            let recorded = self.inputs_digest.clone();
            return Err(ReplayError::Changed { found, recorded });
        }
        let policy = Policy::new(self.settings.clone())?;
        let now = serde_json::to_string(&as_read(&decide(&policy, &self.inputs))?)?;
        let recorded = serde_json::to_string(&self.decision)?;
        if now != recorded {
            return Err(ReplayError::Differs { recorded, now });
        }
        Ok(())
    }
}

/// How often numbers are written and read until they come back as they were written. Each time is
/// another number's last digit, if any: two are enough for all that was ever seen.
const READS_MAX: usize = 16;

/// A value whose numbers come back from JSON as they were written.
fn as_read<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, serde_json::Error> {
    let mut text = serde_json::to_string(value)?;
    for _ in 0..READS_MAX {
        let value = serde_json::from_str(&text)?;
        let again = serde_json::to_string(&value)?;
        if again == text {
            return Ok(value);
        }
        text = again;
    }
    Err(serde::de::Error::custom(
        "its numbers do not come back as they were written",
    ))
}

fn digest(settings: &BurstPolicy, inputs: &Inputs) -> Result<String, serde_json::Error> {
    let text = serde_json::to_vec(&(settings, inputs))?;
    Ok(hex(&Sha256::digest(text)))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
