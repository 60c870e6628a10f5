//! Writes that nobody knows the end of.

use std::error::Error as StdError;
use std::fmt;

use strat_model::{Error, ErrorKind};

/// In the source chain of an error: at least one attempt at a write got no answer, so it may have
/// been done or not. Read back by token or mark before anything else is tried.
#[derive(Debug)]
pub struct OutcomeUnknown {
    last: Error,
}

impl fmt::Display for OutcomeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attempt at this write got no answer")
    }
}

impl StdError for OutcomeUnknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.last)
    }
}

/// Whether an error leaves open what a write has done: whether [`OutcomeUnknown`] is in its chain.
#[must_use]
pub fn is_outcome_unknown(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<OutcomeUnknown>() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Whether an attempt that failed with `kind` may have had its effect all the same.
pub(super) const fn may_have_happened(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Timeout | ErrorKind::Transient)
}

/// The error of a write that was tried `attempts` times, `last` being the last error.
pub(super) fn unknown_after(attempts: u32, last: Error) -> Error {
    let mut error = Error::new(
        last.kind(),
        format!("outcome unknown after {attempts} attempt(s): it may have been done or not"),
    )
    .with_scope(last.scope());
    if let Some(operation) = last.operation() {
        error = error.with_operation(operation);
    }
    if let Some(addr) = last.addr() {
        error = error.with_addr(addr);
    }
    if let Some(provider) = last.provider() {
        error = error.with_provider(provider);
    }
    if let Some(code) = last.code() {
        error = error.with_code(code);
    }
    if let Some(id) = last.request_id() {
        error = error.with_request_id(id);
    }
    if let Some(wait) = last.retry_after() {
        error = error.with_retry_after(wait);
    }
    error.with_source(OutcomeUnknown { last })
}
