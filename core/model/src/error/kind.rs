//! What kind of failure it is, and how far it reaches.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, in terms that decide what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The thing is not there.
    NotFound,
    /// A thing of that name or token is there already.
    AlreadyExists,
    /// Something else uses it or changes it now.
    Conflict,
    /// What the call assumed no longer holds.
    Precondition,
    /// Too many calls; the same call later may pass.
    Throttled,
    /// The cloud has none left of what was asked for. Another offer, zone or site may.
    Capacity,
    /// The account may not have more. Another offer of the same family will not help.
    Quota,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The identity is known and may not do this.
    Forbidden,
    /// The request is wrong and will stay wrong.
    Invalid,
    /// This provider or site cannot do that.
    Unsupported,
    /// No answer in time. For a mutation, the outcome is unknown.
    Timeout,
    /// A passing fault. For a mutation without an answer, the outcome is unknown.
    Transient,
    /// A bug, here or there.
    Internal,
}

impl ErrorKind {
    /// The word in logs and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::Conflict => "conflict",
            Self::Precondition => "precondition failed",
            Self::Throttled => "throttled",
            Self::Capacity => "out of capacity",
            Self::Quota => "quota exceeded",
            Self::Unauthenticated => "not authenticated",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid request",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timed out",
            Self::Transient => "transient fault",
            Self::Internal => "internal error",
        }
    }

    /// Whether the same call, unchanged, may pass later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Throttled | Self::Timeout | Self::Transient => true,
            Self::NotFound
            | Self::AlreadyExists
            | Self::Conflict
            | Self::Precondition
            | Self::Capacity
            | Self::Quota
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::Invalid
            | Self::Unsupported
            | Self::Internal => false,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far a failure reaches: what else would fail the same way now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Only this call.
    Call,
    /// This offer (machine type) in this zone.
    Offer,
    /// What gets its address in this subnet.
    Subnet,
    /// Everything in this zone.
    Zone,
    /// Everything in this region.
    Region,
    /// Everything of this account.
    Account,
    /// The whole cloud.
    Cloud,
}
