//! What a store keeps of a lease, and what it grants.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Holder, Lease, LeaseError};

/// What a store keeps. The generation outlives every holder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) v: u32,
    pub(super) generation: u64,
    pub(super) held: Option<Held>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) holder: Holder,
    pub(super) expires: Timestamp,
}

impl Record {
    pub(super) const VERSION: u32 = 1;

    pub(super) fn acquire(
        &mut self,
        holder: &Holder,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, LeaseError> {
        if let Some(held) = &self.held
            && held.expires > now
            && held.holder.id != holder.id
            && !held.holder.is_gone()
        {
            return Err(LeaseError::Held {
                holder: Box::new(held.holder.clone()),
                expires: held.expires,
            });
        }
        self.v = Self::VERSION;
        self.generation += 1;
        Ok(self.hold(holder, now, ttl))
    }

    pub(super) fn renew(
        &mut self,
        lease: &Lease,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, LeaseError> {
        if self.is_of(lease) {
            // Even past its time: nobody took it in between, or the generation would be another.
            return Ok(self.hold(&lease.holder, now, ttl));
        }
        let why = match &self.held {
            Some(held) => format!("{} took it over", held.holder.who()),
            None => "somebody broke it".to_owned(),
        };
        Err(LeaseError::Lost { why })
    }

    pub(super) fn release(&mut self, lease: &Lease) {
        if self.is_of(lease) {
            self.held = None;
        }
    }

    pub(super) fn current(&self, now: Timestamp) -> Option<Lease> {
        let held = self.held.as_ref().filter(|held| held.expires > now)?;
        Some(Lease {
            holder: held.holder.clone(),
            generation: self.generation,
            expires: held.expires,
        })
    }

    pub(super) fn break_(&mut self, now: Timestamp) -> Option<Lease> {
        let lease = self.current(now);
        self.held = None;
        // So that the old holder is fenced even if it comes back before anybody else.
        self.generation += 1;
        lease
    }

    fn is_of(&self, lease: &Lease) -> bool {
        self.generation == lease.generation
            && self
                .held
                .as_ref()
                .is_some_and(|held| held.holder.id == lease.holder.id)
    }

    fn hold(&mut self, holder: &Holder, now: Timestamp, ttl: Duration) -> Lease {
        let expires = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
        self.held = Some(Held {
            holder: holder.clone(),
            expires,
        });
        Lease {
            holder: holder.clone(),
            generation: self.generation,
            expires,
        }
    }
}
