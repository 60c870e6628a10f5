//! What a run that did not come to its end left as nobody wants it.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Name, Owner, ResourceId};

use super::state::{RunRecord, State};
use super::{Journal, lock};
use crate::Operation;

impl Journal {
    /// What was shut down, attached or let go at a site by a run that was killed, stopped or failed, as
    /// far as no call of ours has been about it since.
    #[must_use]
    pub fn left_by_runs(&self, owner: &Owner, site: &Name) -> BTreeSet<ResourceId> {
        lock(&self.inner.memory).state.left_by_runs(owner, site)
    }
}

impl State {
    fn left_by_runs(&self, owner: &Owner, site: &Name) -> BTreeSet<ResourceId> {
        let broken = self.runs.iter().filter(|run| !went_well(run));
        let broken: BTreeSet<&str> = broken.map(|run| run.plan.as_str()).collect();
        if broken.is_empty() {
            return BTreeSet::new();
        }
        // Entries are in the order of their numbers: the last one about a thing counts.
        let mut left: BTreeMap<&ResourceId, bool> = BTreeMap::new();
        for entry in self.entries.values() {
            let started = &entry.started;
            if !owner.owns(&started.owner) || started.site != *site {
                continue;
            }
            let leaves = match started.operation {
                // A machine is shut down within the steps that delete it or change it.
                Operation::Stop
                | Operation::Restart
                | Operation::Delete
                | Operation::Attach
                | Operation::Detach => true,
                Operation::Create | Operation::Update | Operation::Start | Operation::Probe => {
                    false
                }
            };
            let is_left = leaves && broken.contains(started.plan.as_str());
            left.extend(started.ids.iter().map(|id| (id, is_left)));
        }
        let left = left.into_iter().filter(|(_, is_left)| *is_left);
        left.map(|(id, _)| id.clone()).collect()
    }
}

/// Whether a run did all that it was for.
fn went_well(run: &RunRecord) -> bool {
    run.finished.is_some_and(|(_, counts)| {
        !run.interrupted && counts.failed + counts.skipped + counts.stopped == 0
    })
}
