//! The lease: who may write to a topology's things now.
//!
//! # Expected flow
//!
//! [`acquire_wait`] (or [`LeaseStore::acquire`]), then [`LeaseGuard::hold`], which renews the
//! lease at a third of its time to live; the engine asks [`LeaseGuard::check`] before each call
//! that changes anything; [`LeaseGuard::release`] at the end.
//!
//! # Guarantees
//!
//! - One holder at a time. Its generation grows with every acquisition, and a renewal or release
//!   of an older generation is refused.
//! - A dead holder's lease expires by itself; on the same host it is taken over at once.
//!
//! # Caveats
//!
//! - The lease keeps two runs of people apart. What makes a slip harmless is below it: marks,
//!   tokens and fingerprints.

mod error;
mod file;
mod guard;
mod holder;
mod memory;
mod record;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use strat_provider::Clock;

pub use error::LeaseError;
pub use file::FileLeaseStore;
pub use guard::LeaseGuard;
pub use holder::{Holder, ProcessMark};
pub use memory::MemoryLeaseStore;

use crate::{Event, EventSink};

/// How often a waiting acquisition looks again.
const POLL: Duration = Duration::from_secs(1);

/// A lease that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub holder: Holder,
    /// Grows with every acquisition.
    pub generation: u64,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// Where leases are kept.
#[async_trait]
pub trait LeaseStore: Debug + Send + Sync {
    /// Takes the lease for `ttl`.
    ///
    /// # Errors
    /// [`LeaseError::Held`] while another live holder has it.
    async fn acquire(&self, holder: &Holder, ttl: Duration) -> Result<Lease, LeaseError>;

    /// Makes it last another `ttl` from now.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] if somebody took it over.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, LeaseError>;

    /// Gives it back. Giving back what was lost is `Ok`.
    ///
    /// # Errors
    /// If the store cannot be written.
    async fn release(&self, lease: &Lease) -> Result<(), LeaseError>;

    /// Who has it now, if anybody.
    ///
    /// # Errors
    /// If the store cannot be read.
    async fn current(&self) -> Result<Option<Lease>, LeaseError>;

    /// Takes it away from whoever has it, who notices before the next call that changes anything.
    /// Returns whose it was.
    ///
    /// # Errors
    /// If the store cannot be written.
    async fn break_(&self) -> Result<Option<Lease>, LeaseError>;
}

/// Takes the lease, waiting up to `timeout` for another holder to be done.
///
/// # Errors
/// [`LeaseError::Held`] if it is still held then.
pub async fn acquire_wait(
    store: &dyn LeaseStore,
    holder: &Holder,
    ttl: Duration,
    timeout: Duration,
    clock: &dyn Clock,
    events: &EventSink,
) -> Result<Lease, LeaseError> {
    let deadline = clock.now().checked_add(timeout).unwrap_or(Timestamp::MAX);
    let mut told = None;
    loop {
        let (held, expires) = match store.acquire(holder, ttl).await {
            Err(LeaseError::Held { holder, expires }) => (holder, expires),
            other => return other,
        };
        let now = clock.now();
        if now >= deadline {
            return Err(LeaseError::Held {
                holder: held,
                expires,
            });
        }
        if told.as_ref() != Some(&held.id) {
            events.send(Event::LeaseWaiting {
                holder: held.who(),
                command: held.command.clone(),
                expires,
            });
            told = Some(held.id.clone());
        }
        let left = Duration::try_from(deadline.duration_since(now)).unwrap_or_default();
        clock.sleep(POLL.min(left)).await;
    }
}
