//! Idempotency tokens. They are short enough for every vendor's limit: EC2's `ClientToken` takes 64
//! ASCII characters, Google's `requestId` a UUID (see [`Token::as_uuid`]).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Addr, Digest, Owner};

/// What makes a repeated create harmless: 32 hex digits, the same for the same intent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = crate::schema::TOKEN)))]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token of one attempt at creating the things of one address in one plan.
    ///
    /// `offer` is the machine type and zone where there is one, so that a move to another offer
    /// is never mistaken for a repetition; `part` sets apart the batches of one change.
    #[must_use]
    pub fn derive(
        plan_id: &str,
        addr: &Addr,
        generation: u64,
        attempt: u32,
        part: u32,
        offer: &str,
    ) -> Self {
        let digest = Digest::of_parts([
            plan_id,
            &addr.to_string(),
            &generation.to_string(),
            &attempt.to_string(),
            &part.to_string(),
            offer,
        ]);
        Self(digest.as_str()[..32].to_owned())
    }

    /// The token of the one thing of an address, as a first attempt has it: the same whoever plans it
    /// and when, so that the cloud itself refuses to make it twice.
    ///
    /// `owner` is as text, lineage included; `part` sets apart the calls of one change.
    #[must_use]
    pub fn of_single(owner: &Owner, addr: &Addr, generation: u64, part: u32) -> Self {
        let digest = Digest::of_parts([
            "single",
            &owner.to_string(),
            &addr.to_string(),
            &generation.to_string(),
            &part.to_string(),
        ]);
        Self(digest.as_str()[..32].to_owned())
    }

    /// A token as a mark has it, which anybody may have written.
    pub(crate) fn from_mark(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token laid out as a UUID.
    #[must_use]
    pub fn as_uuid(&self) -> String {
        let t = &self.0;
        format!(
            "{}-{}-{}-{}-{}",
            &t[..8],
            &t[8..12],
            &t[12..16],
            &t[16..20],
            &t[20..32]
        )
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
