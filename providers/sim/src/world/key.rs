//! Which region of which account of which cloud.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Profile;

/// One region of one account of one simulated cloud: what a connected site is a view of.
///
/// Written `aws/main/us-east-1`. Two sites with the same three share everything in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RegionKey {
    /// The cloud.
    pub profile: Profile,
    /// The account; it holds no `/`.
    pub account: String,
    /// The region.
    pub region: String,
}

impl fmt::Display for RegionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.profile, self.account, self.region)
    }
}

impl From<RegionKey> for String {
    fn from(key: RegionKey) -> Self {
        key.to_string()
    }
}

impl FromStr for RegionKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, '/');
        match (
            parts.next().and_then(Profile::parse),
            parts.next(),
            parts.next(),
        ) {
            (Some(profile), Some(account), Some(region)) => Ok(Self {
                profile,
                account: account.to_owned(),
                region: region.to_owned(),
            }),
            _ => Err(format!(
                "`{text}` is not a region; write it like `aws/main/us-east-1`"
            )),
        }
    }
}

impl TryFrom<String> for RegionKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
