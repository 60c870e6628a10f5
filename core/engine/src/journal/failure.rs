//! How a call failed, as far as it may be written down.

use strat_model::{Error, ErrorKind};

use super::wire;

/// How a call failed: what [`ErrorView`](strat_model::ErrorView) says of it but for the words, which
/// may repeat what the cloud was told, user data too.
#[derive(Debug, Clone)]
pub struct CallFailure(wire::Failed);

impl CallFailure {
    /// The failure of a call. With `outcome_unknown`, the call may have been carried out all the
    /// same, and stays pending.
    #[must_use]
    pub fn of(error: &Error, outcome_unknown: bool) -> Self {
        let view = error.view();
        Self(wire::Failed {
            scope: view.scope,
            code: view.code,
            operation: view.operation.map(String::from),
            provider: view.provider.map(String::from),
            request_id: view.request_id,
            outcome_unknown,
            ..Self::noted(error.kind(), None).0
        })
    }

    /// The end of a call that nobody waited for, in our own words.
    #[must_use]
    pub fn interrupted(kind: ErrorKind, note: &'static str) -> Self {
        Self::noted(kind, Some(note.to_owned()))
    }

    const fn noted(kind: ErrorKind, message: Option<String>) -> Self {
        Self(wire::Failed {
            entry: 0,
            kind,
            message,
            scope: None,
            code: None,
            operation: None,
            provider: None,
            request_id: None,
            outcome_unknown: false,
        })
    }

    pub(super) fn into_record(self, entry: u64) -> wire::Record {
        wire::Record::Failed(wire::Failed { entry, ..self.0 })
    }
}
