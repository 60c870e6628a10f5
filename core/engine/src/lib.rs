//! Observe, execute, journal, lease and resume.
//!
//! An apply goes like this, and everything else is a part of it:
//!
//! 1. [`take`] the lease of the folder and of each place where something is written, each kept
//!    alive by a [`LeaseGuard`];
//! 2. open the [`Journal`];
//! 3. [`settle`] what an interrupted run left open;
//! 4. [`observe`] every site;
//! 5. plan (`strat_planner`), which is pure;
//! 6. [`execute`] the plan's steps;
//! 7. [`Journal::record_applied`], then [`Journal::compact`], and let the lease go.
//!
//! # Guarantees
//!
//! - Killed at any point, a run leaves no duplicate and no orphan: every create is journalled and
//!   on disk before it is called, carries its mark in the same call, and is found again by its
//!   name, which is derived from its token.
//! - Nothing is deleted that does not say, read afresh at that moment, that it is ours, and has a
//!   second witness for it.
//! - Nothing is written that changed since the plan was made.
//! - A failure stops what depends on it, and nothing else.
//!
//! # Assumptions
//!
//! - [`Observe::get`](strat_provider::Observe::get) never lags;
//!   [`Observe::list`](strat_provider::Observe::list) lags no longer than the provider's
//!   consistency window.
//! - Providers come wrapped in their layers: nothing here retries, throttles or times out a call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strat_model::Name;
use strat_provider::Provider;

mod events;
mod execute;
pub mod files;
mod health;
mod journal;
mod lease;
mod observe;
mod settle;
mod stop;
mod user_data;

pub use events::{Event, EventSink, Operation};
pub use execute::{
    Consent, Counts, ExecuteOptions, OfferRef, Outcome, Report, Run, Spending, StepReport, execute,
};
pub use health::{HealthProbe, NetProbe, Question};
#[cfg(feature = "schema")]
pub use journal::journal_schema;
pub use journal::{
    CallFailure, EntryId, Journal, JournalError, Noted, Pending, RunRecord, Started, retention,
};
pub use lease::{
    Claim, FileLeases, Found, HeldLeases, Holder, Lease, LeaseError, LeaseGuard, LeasePolicy,
    MemoryLeases, ProcessMark, Spot, Taken, Watched, free, look, protocol, take, take_from,
    watch_renewals,
};
pub use observe::{Observation, Problem, observe};
pub use settle::{SettleReport, SettledEntry, Verdict, settle};
pub use stop::{Stop, StopLevel};
pub use user_data::UserDataSource;

/// The connected sites, by name.
pub type Sites = BTreeMap<Name, Arc<dyn Provider>>;

/// Locks what no code can leave half-changed, so that a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f` where it may block.
async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(f).await {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
