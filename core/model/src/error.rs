//! The one error of provider calls: what kind, how far it reaches, and where it came from.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Addr;

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
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Only this call.
    Call,
    /// This offer (machine type) in this zone.
    Offer,
    /// Everything in this zone.
    Zone,
    /// Everything in this region.
    Region,
    /// Everything of this account.
    Account,
    /// The whole cloud.
    Cloud,
}

/// A failed provider call.
///
/// `Display` is one line without the source; a renderer walks [`std::error::Error::source`].
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    scope: Scope,
    message: String,
    operation: Option<&'static str>,
    addr: Option<Addr>,
    provider: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` that reaches no further than its call.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            scope: Scope::Call,
            message: message.into(),
            operation: None,
            addr: None,
            provider: None,
            code: None,
            request_id: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Sets how far it reaches.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.0.scope = scope;
        self
    }

    /// Names the operation, such as `create_machines`, unless one is named already.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Names the thing it is about, unless one is named already.
    #[must_use]
    pub fn with_addr(mut self, addr: &Addr) -> Self {
        self.0.addr.get_or_insert_with(|| addr.clone());
        self
    }

    /// Names the provider, unless one is named already.
    #[must_use]
    pub fn with_provider(mut self, provider: &'static str) -> Self {
        self.0.provider.get_or_insert(provider);
        self
    }

    /// The vendor's own code, such as `InsufficientInstanceCapacity`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The vendor's id of the request, for a support case.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// How long the vendor asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// What lies underneath.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// How far it reaches.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.0.scope
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operation, if named.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The thing it is about, if named.
    #[must_use]
    pub fn addr(&self) -> Option<&Addr> {
        self.0.addr.as_ref()
    }

    /// The provider, if named.
    #[must_use]
    pub fn provider(&self) -> Option<&'static str> {
        self.0.provider
    }

    /// The vendor's code, if any.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The vendor's request id, if any.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the vendor asked to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}: {}", inner.kind, inner.message)?;
        match (&inner.code, inner.provider) {
            (Some(code), Some(provider)) => write!(f, " ({provider}: {code})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
