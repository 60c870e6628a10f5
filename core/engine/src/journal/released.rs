//! What was let go: it is known by its id as long as it may be taken for what it was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use strat_model::{Addr, Kind, Name, Owner, ResourceId};

use super::error::JournalError;
use super::{Journal, known, lock};

impl Journal {
    /// Records that things of a topology are its no more: they stay where they are.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) async fn record_released(
        &self,
        at: Timestamp,
        owner: &Owner,
        addr: &Addr,
        (generation, ids): (u64, &[ResourceId]),
    ) -> Result<(), JournalError> {
        self.note(at, known::released(owner, addr, generation, ids))
            .await
    }

    /// What of a kind at a site was let go and may be there still: which thing it was, and the
    /// generation that its mark said.
    #[must_use]
    pub fn released(
        &self,
        owner: &Owner,
        site: &Name,
        kind: Kind,
    ) -> BTreeMap<ResourceId, (Addr, u64)> {
        let memory = lock(&self.inner.memory);
        memory.state.ledger.released_at(owner, site, kind)
    }
}
