//! Writes that nobody knows the end of.

use strat_model::{Error, ErrorKind};

/// Whether an error leaves open what a write has done: at least one attempt at it got no answer.
/// Read back by token or mark before anything else is tried.
#[must_use]
pub fn is_outcome_unknown(error: &Error) -> bool {
    error.outcome_unknown()
}

/// Whether an attempt that failed with `kind` may have had its effect all the same.
pub(super) const fn may_have_happened(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Timeout | ErrorKind::Transient)
}

/// The error of a write that was tried `attempts` times, `last` being the last error.
pub(super) fn unknown_after(attempts: u32, last: Error) -> Error {
    let tried = match attempts {
        1 => "one attempt".to_owned(),
        n => format!("{n} attempts"),
    };
    let message = format!("outcome unknown after {tried}: it may have been done or not");
    last.wrapped(message).with_outcome_unknown()
}
