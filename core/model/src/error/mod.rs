//! The one error of provider calls, as data: what kind, how far it reaches, where it came from and
//! what to do next.

mod kind;
mod view;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Addr;

pub use kind::{ErrorKind, Scope};
pub use view::{ErrorView, FailureKind};

/// A failed provider call.
///
/// `Display` is one line for logs, without the help and without the source. What people and
/// programs are told is its [view](Error::view).
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    scope: Scope,
    message: String,
    help: Option<String>,
    operation: Option<&'static str>,
    addr: Option<Addr>,
    provider: Option<&'static str>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    outcome_unknown: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` that reaches no further than its call. `message` is one sentence without
    /// a full stop; it repeats neither the help nor the source.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            scope: Scope::Call,
            message: message.into(),
            help: None,
            operation: None,
            addr: None,
            provider: None,
            code: None,
            request_id: None,
            retry_after: None,
            outcome_unknown: false,
            source: None,
        }))
    }

    /// The same failure told from further out: it keeps all it has but the message, and becomes the
    /// source of what is returned.
    #[must_use]
    pub fn wrapped(self, message: impl Into<String>) -> Self {
        let mut outer = self.clone();
        outer.0.message = message.into();
        outer.0.source = Some(Arc::new(self));
        outer
    }

    /// Says that it is of another kind: of what a provider knows more of than the code says.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Sets how far it reaches.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.0.scope = scope;
        self
    }

    /// Says what to do next, unless that is said already. The sentence speaks of the topology and
    /// of the cloud, not of a command line.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
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

    /// Says that an attempt at this write got no answer, so that it may have been done or not.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.0.outcome_unknown = true;
        self
    }

    /// Says that it was found out since what the write did.
    #[must_use]
    pub fn with_known_outcome(mut self) -> Self {
        self.0.outcome_unknown = false;
        self
    }

    /// What lies underneath.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
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

    /// What to do next, if more is known of that than the kind says.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
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

    /// Whether an attempt at this write got no answer: read back by token or mark before anything
    /// else is tried.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// All that is told of it, as data.
    #[must_use]
    pub fn view(&self) -> ErrorView {
        ErrorView::of(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}: {}", inner.kind, inner.message)?;
        let request = inner.request_id.as_ref().map(|id| format!("request {id}"));
        let said: Vec<&str> = inner
            .code
            .as_deref()
            .into_iter()
            .chain(request.as_deref())
            .collect();
        match (said.is_empty(), inner.provider) {
            (true, _) => Ok(()),
            (false, Some(provider)) => write!(f, " ({provider}: {})", said.join(", ")),
            (false, None) => write!(f, " ({})", said.join(", ")),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
