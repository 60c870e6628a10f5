//! A lease within one process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use strat_provider::Clock;

use super::record::Record;
use super::{Holder, Lease, LeaseError, LeaseStore};
use crate::lock;

/// A lease that is gone with the process: for tests and rehearsals.
#[derive(Debug)]
pub struct MemoryLeaseStore {
    clock: Arc<dyn Clock>,
    record: Mutex<Record>,
}

impl MemoryLeaseStore {
    /// A store that nobody holds.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            record: Mutex::default(),
        }
    }
}

#[async_trait]
impl LeaseStore for MemoryLeaseStore {
    async fn acquire(&self, holder: &Holder, ttl: Duration) -> Result<Lease, LeaseError> {
        lock(&self.record).acquire(holder, self.clock.now(), ttl)
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, LeaseError> {
        lock(&self.record).renew(lease, self.clock.now(), ttl)
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        lock(&self.record).release(lease);
        Ok(())
    }

    async fn current(&self) -> Result<Option<Lease>, LeaseError> {
        Ok(lock(&self.record).current(self.clock.now()))
    }

    async fn break_(&self) -> Result<Option<Lease>, LeaseError> {
        Ok(lock(&self.record).break_(self.clock.now()))
    }
}
