//! A lease that is kept alive.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strat_provider::Clock;
use strat_provider::layers::WritePermit;
use tokio::task::JoinHandle;

use super::record::Record;
use super::take::{Claim, Spot, Taken, Written};
use super::{Lease, LeaseError};
use crate::lock;

/// A lease that renews itself until it is released, dropped or lost.
///
/// Dropped without [`LeaseGuard::release`], it is simply renewed no more and ends by itself.
#[derive(Debug)]
pub struct LeaseGuard {
    shared: Arc<Shared>,
    keep_alive: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    spot: Spot,
    claim: Claim,
    clock: Arc<dyn Clock>,
    state: Mutex<Result<Taken, String>>,
}

impl LeaseGuard {
    /// Keeps a lease alive. Needs a Tokio runtime.
    #[must_use]
    pub fn hold(spot: Spot, claim: Claim, taken: Taken, clock: Arc<dyn Clock>) -> Self {
        let shared = Arc::new(Shared {
            spot,
            claim,
            clock,
            state: Mutex::new(Ok(taken)),
        });
        let keep_alive = tokio::spawn(Arc::clone(&shared).keep_alive());
        Self { shared, keep_alive }
    }

    /// Where it is kept.
    #[must_use]
    pub fn spot(&self) -> &Spot {
        &self.shared.spot
    }

    /// Whether it is still ours, by our own clocks: no store is asked.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once it was taken over, or has ended because it could not be renewed.
    pub fn check(&self) -> Result<Lease, LeaseError> {
        let left = self.shared.left().map_err(|why| self.shared.lost(why))?;
        let state = lock(&self.shared.state).clone();
        let taken = state.map_err(|why| self.shared.lost(why))?;
        let now = self.shared.clock.now();
        Ok(Lease {
            holder: self.shared.claim.holder.clone(),
            generation: taken.record.epoch,
            renewed: taken.record.renewed,
            expires: now.checked_add(left).unwrap_or(now),
        })
    }

    /// The right to write that it is.
    #[must_use]
    pub fn permit(&self) -> Arc<dyn WritePermit> {
        Arc::clone(&self.shared) as Arc<dyn WritePermit>
    }

    /// The folder that the lease is held for: drawn once, and kept in its own lease's record.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        let state = lock(&self.shared.state);
        state
            .as_ref()
            .ok()
            .and_then(|taken| taken.record.folder.clone())
    }

    /// The folder of whoever held it before, if anybody did.
    #[must_use]
    pub fn before(&self) -> Option<Option<String>> {
        let state = lock(&self.shared.state);
        state.as_ref().ok().and_then(|taken| taken.before.clone())
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// If the store cannot be written; the lease ends by itself then.
    pub async fn release(self) -> Result<(), LeaseError> {
        self.keep_alive.abort();
        let shared = Arc::clone(&self.shared);
        let Ok(taken) = lock(&shared.state).clone() else {
            return Ok(());
        };
        let now = shared.clock.now();
        let free = Record {
            folder: taken.record.folder.clone(),
            proved: taken.record.proved,
            ..Record::free(taken.record.epoch, now)
        };
        // Taken over since: then there is nothing to give back.
        let seen = Some(&taken.version);
        match shared
            .spot
            .store
            .replace(&shared.spot.key, &free.text(), seen)
            .await
        {
            Err(error) if error.kind() != strat_model::ErrorKind::Precondition => {
                Err(shared.spot.failed(error))
            }
            _ => Ok(()),
        }
    }

    /// Renews it no more and gives it back to nobody: calls may still be under way, and it must end
    /// by itself.
    pub fn abandon(self) {
        self.keep_alive.abort();
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.keep_alive.abort();
    }
}

impl WritePermit for Shared {
    fn left(&self) -> Result<Duration, String> {
        let state = lock(&self.state);
        let taken = state.as_ref().map_err(Clone::clone)?;
        taken.term.left(self.clock.moment()).ok_or_else(|| {
            format!(
                "it was last renewed at {:.0}, and its term is over",
                taken.record.renewed
            )
        })
    }
}

impl Shared {
    fn lost(&self, why: String) -> LeaseError {
        LeaseError::Lost {
            place: self.spot.place.clone(),
            why,
        }
    }

    async fn keep_alive(self: Arc<Self>) {
        let policy = self.claim.policy;
        let mut pause = policy.renew;
        // What is being written, until it is known to be there: a repetition says the same, so that
        // it does not matter which of them the store took.
        let mut writing: Option<Written> = None;
        loop {
            self.clock.sleep(pause).await;
            let Ok(taken) = lock(&self.state).clone() else {
                return;
            };
            if taken.term.left(self.clock.moment()).is_none() {
                // It may be another's by now, and if not, another may be about to take it.
                return;
            }
            let next = writing.take().unwrap_or_else(|| {
                let record = taken.record.renewed(self.clock.now());
                Written::sending(record, &*self.clock, policy.term)
            });
            match self.spot.write(&next, Some(&taken.version)).await {
                Ok(Some(version)) => {
                    pause = policy.renew;
                    let renewed = Taken {
                        version,
                        record: next.record,
                        term: next.term,
                        before: taken.before,
                    };
                    *lock(&self.state) = Ok(renewed);
                }
                Ok(None) => {
                    let why = self.spot.who_took_it(&self.claim.holder).await;
                    *lock(&self.state) = Err(why);
                    return;
                }
                // It holds until its term is over; the next renewal may pass.
                Err(why) => {
                    tracing::warn!(%why, "the lease could not be renewed");
                    writing = Some(next);
                    pause = policy.retry;
                }
            }
        }
    }
}
