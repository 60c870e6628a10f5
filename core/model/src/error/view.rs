//! A failure as everybody is told of it: the same data for text, JSON, events and the journal.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind, Scope};
use crate::Addr;

/// What kind of failure it is, in one word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum FailureKind {
    /// A provider's call failed.
    Call(ErrorKind),
    /// Something else did, such as `plan_out_of_date`.
    Other(Cow<'static, str>),
}

/// All that is told of a failure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorView {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// One sentence, without a full stop.
    pub message: String,
    /// How far it reaches; of a provider's call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The vendor's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The operation that failed, such as `create_machines`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Cow<'static, str>>,
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'static, str>>,
    /// The vendor's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<Addr>,
    /// How long the vendor asked to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Whether a write got no answer, so that nobody knows yet whether it was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outcome_unknown: bool,
    /// What lies underneath, outermost first, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl ErrorView {
    /// A failure that is no provider's, of one sentence.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Other(Cow::Borrowed(kind)),
            message: message.into(),
            scope: None,
            code: None,
            operation: None,
            provider: None,
            request_id: None,
            addr: None,
            retry_after_ms: None,
            outcome_unknown: false,
            causes: Vec::new(),
            help: None,
        }
    }

    /// An error with all that lies underneath. Kind, code and the like are those of the first
    /// provider call in the chain; a chain without one is of the kind `failed`.
    #[must_use]
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        let call = error.downcast_ref::<Error>();
        let message = call.map_or_else(|| error.to_string(), told);
        let mut view = Self::new("failed", message);
        if let Some(call) = call {
            view.take(call);
        }
        if let Some(source) = error.source() {
            view.add_cause(source);
        }
        view
    }

    /// As [`ErrorView::of`], of this kind where there is no provider call in the chain.
    #[must_use]
    pub fn of_kind(kind: &'static str, error: &(dyn StdError + 'static)) -> Self {
        let mut view = Self::of(error);
        if view.call_kind().is_none() {
            view.kind = FailureKind::Other(Cow::Borrowed(kind));
        }
        view
    }

    /// Adds an error and its whole chain as causes. A cause that only repeats what was said above
    /// it is left out: some libraries' errors say their source in their own text, too.
    pub fn add_cause(&mut self, error: &(dyn StdError + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = match error.downcast_ref::<Error>() {
                Some(call) => self.cause_of(call),
                None => error.to_string(),
            };
            let above = self.causes.last().unwrap_or(&self.message);
            if !above.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
    }

    /// The same with a help, unless it has one.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// The kind of a provider's call that failed.
    #[must_use]
    pub const fn call_kind(&self) -> Option<ErrorKind> {
        match self.kind {
            FailureKind::Call(kind) => Some(kind),
            FailureKind::Other(_) => None,
        }
    }

    /// What the vendor is to be asked about: `aws create_machines: Code, request 4f2a`. Empty if
    /// nothing is known of it.
    #[must_use]
    pub fn reference(&self) -> String {
        let call: Vec<&str> = [&self.provider, &self.operation]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        let request = self.request_id.as_ref().map(|id| format!("request {id}"));
        let said: Vec<&str> = [self.code.as_deref(), request.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let parts = [call.join(" "), said.join(", ")];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(": ")
    }

    /// The text of a call further down. Its facts are those of the whole, if it is the first.
    fn cause_of(&mut self, call: &Error) -> String {
        let Some(kind) = self.call_kind() else {
            self.take(call);
            return told(call);
        };
        if let Some(help) = call.help() {
            self.help.get_or_insert_with(|| help.to_owned());
        }
        let mut text = match call.kind() == kind {
            true => call.message().to_owned(),
            false => told(call),
        };
        let facts = (call.code(), call.request_id());
        let said = (self.code.as_deref(), self.request_id.as_deref());
        if facts != said && facts != (None, None) {
            let reference = Self::facts_of(call).reference();
            text = format!("{text} ({reference})");
        }
        text
    }

    /// Nothing but the facts of a call.
    fn facts_of(call: &Error) -> Self {
        let mut view = Self::new("failed", String::new());
        view.take(call);
        view
    }

    fn take(&mut self, call: &Error) {
        let millis =
            |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.kind = FailureKind::Call(call.kind());
        self.scope = Some(call.scope());
        self.code = call.code().map(str::to_owned);
        self.operation = call.operation().map(Cow::Borrowed);
        self.provider = call.provider().map(Cow::Borrowed);
        self.request_id = call.request_id().map(str::to_owned);
        self.addr = call.addr().cloned();
        self.retry_after_ms = call.retry_after().map(millis);
        self.outcome_unknown = call.outcome_unknown();
        if let Some(help) = call.help() {
            self.help.get_or_insert_with(|| help.to_owned());
        }
    }
}

/// `out of capacity: there is none left`.
fn told(call: &Error) -> String {
    format!("{}: {}", call.kind(), call.message())
}

/// `out of capacity: there is none left (aws create_machines: Code, request 4f2a)`: one line, for
/// a list of many.
impl fmt::Display for ErrorView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let reference = self.reference();
        match reference.is_empty() {
            true => Ok(()),
            false => write!(f, " ({reference})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Error {
        Error::new(ErrorKind::Capacity, "there is none left")
            .with_scope(Scope::Zone)
            .with_provider("aws")
            .with_operation("create_machines")
            .with_code("InsufficientInstanceCapacity")
            .with_request_id("4f2a")
            .with_retry_after(std::time::Duration::from_secs(2))
            .with_help("take another size")
            .with_source(std::io::Error::other("status 500"))
    }

    #[test]
    fn a_call_and_its_copy_tell_everything_once() {
        let error = refused();
        let view = error.clone().view();
        assert_eq!(view, error.view());
        assert_eq!(view.causes, ["status 500"]);
        assert_eq!(
            view.to_string(),
            "out of capacity: there is none left \
             (aws create_machines: InsufficientInstanceCapacity, request 4f2a)"
        );
        let json = serde_json::to_value(&view).expect("JSON");
        assert_eq!(json["kind"], "capacity");
        assert_eq!(json["scope"], "zone");
        assert_eq!(json["retry_after_ms"], 2000);
        assert_eq!(json["help"], "take another size");
        let back: ErrorView = serde_json::from_value(json).expect("a view");
        assert_eq!(back, view);
    }

    #[test]
    fn what_is_wrapped_keeps_its_facts_and_is_a_cause() {
        let view = refused().wrapped("2 of 5 made").view();
        assert_eq!(view.message, "out of capacity: 2 of 5 made");
        assert_eq!(view.causes, ["there is none left", "status 500"]);
        assert_eq!(view.code.as_deref(), Some("InsufficientInstanceCapacity"));
        assert_eq!(view.help.as_deref(), Some("take another size"));
    }

    #[test]
    fn another_call_underneath_is_told_with_its_code() {
        let outer = Error::new(ErrorKind::Timeout, "the machine is not ready");
        let view = outer.with_source(refused()).view();
        assert_eq!(
            view.causes,
            [
                "out of capacity: there is none left \
                 (aws create_machines: InsufficientInstanceCapacity, request 4f2a)",
                "status 500"
            ]
        );
        assert_eq!(view.help.as_deref(), Some("take another size"));
    }

    #[test]
    fn a_chain_is_told_once() {
        #[derive(Debug)]
        struct Outer(&'static str, std::io::Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl StdError for Outer {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.1)
            }
        }
        let disk = || std::io::Error::other("the disk is full");
        let view = ErrorView::of(&Outer("no journal: the disk is full", disk()));
        assert!(view.causes.is_empty(), "{view:?}");
        let view = ErrorView::of(&Outer("no journal", disk()));
        assert_eq!(view.causes, ["the disk is full"]);
        assert_eq!(view.kind, FailureKind::Other("failed".into()));
    }
}
