//! A lease that is kept alive.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strat_provider::Clock;
use tokio::task::JoinHandle;

use super::{Lease, LeaseError, LeaseStore};
use crate::lock;

/// A lease that renews itself until it is released, dropped or lost.
///
/// Dropped without [`LeaseGuard::release`], it is simply renewed no more and expires.
#[derive(Debug)]
pub struct LeaseGuard {
    shared: Arc<Shared>,
    keep_alive: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn LeaseStore>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
    lease: Mutex<Result<Lease, LeaseError>>,
}

impl LeaseGuard {
    /// Keeps `lease` alive, renewing it at a third of `ttl`. Needs a Tokio runtime.
    #[must_use]
    pub fn hold(
        store: Arc<dyn LeaseStore>,
        lease: Lease,
        ttl: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Arc::new(Shared {
            store,
            clock,
            ttl,
            lease: Mutex::new(Ok(lease)),
        });
        let keep_alive = tokio::spawn(Arc::clone(&shared).keep_alive());
        Self { shared, keep_alive }
    }

    /// Whether it is still ours, as far as can be known without asking the store.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once it was taken over, or has expired because it could not be renewed.
    pub fn check(&self) -> Result<Lease, LeaseError> {
        let lease = lock(&self.shared.lease).clone()?;
        if lease.expires <= self.shared.clock.now() {
            let why = format!("it expired at {}, for want of a renewal", lease.expires);
            return Err(LeaseError::Lost { why });
        }
        Ok(lease)
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// If the store cannot be written; the lease expires by itself then.
    pub async fn release(self) -> Result<(), LeaseError> {
        self.keep_alive.abort();
        let lease = lock(&self.shared.lease).clone();
        match lease {
            Ok(lease) => self.shared.store.release(&lease).await,
            Err(_) => Ok(()),
        }
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.keep_alive.abort();
    }
}

impl Shared {
    async fn keep_alive(self: Arc<Self>) {
        loop {
            self.clock.sleep(self.ttl / 3).await;
            let Ok(lease) = lock(&self.lease).clone() else {
                return;
            };
            match self.store.renew(&lease, self.ttl).await {
                Ok(renewed) => *lock(&self.lease) = Ok(renewed),
                Err(lost @ LeaseError::Lost { .. }) => {
                    *lock(&self.lease) = Err(lost);
                    return;
                }
                // It holds until it expires; the next renewal may pass.
                Err(why) => tracing::warn!(%why, "the lease could not be renewed"),
            }
        }
    }
}
