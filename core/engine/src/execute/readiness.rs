//! Waiting for what a create made to be fit for use.

use strat_model::{ErrorKind, Noun, Resource, ResourceId, ResourceState};

use super::context::Failure;
use super::step::StepRun;
use super::wait::Until;

impl StepRun<'_, '_> {
    /// Waits for all that was made, each for itself: some of a fleet may die as they are launched, and the
    /// others live.
    pub(super) async fn await_ready(&mut self, made: Vec<Resource>) -> Result<(), Failure> {
        let (ready, pending): (Vec<_>, Vec<_>) = made
            .into_iter()
            .partition(|one| one.state == ResourceState::Ready);
        ready.iter().for_each(|one| self.wrote(one));
        pending.iter().for_each(|one| self.wrote(one));
        let is_awaited =
            self.step.addr.local.noun != Noun::Machines || self.context.run.options.await_fleets;
        if pending.is_empty() || !is_awaited {
            return Ok(());
        }
        let ids: Vec<ResourceId> = pending.into_iter().map(|one| one.id).collect();
        let mut failed = None;
        for seen in self.wait_each(&ids, &Until::Ready).await? {
            match seen {
                Ok(seen) => seen.iter().for_each(|one| self.wrote(one)),
                Err(error) if is_short(error.kind()) => {
                    self.lost += 1;
                    failed.get_or_insert(error);
                }
                // What is not a matter of what there is comes first: it is not made good elsewhere.
                Err(error) => match &failed {
                    Some(told) if !is_short(told.kind()) => {}
                    _ => failed = Some(error),
                },
            }
        }
        match failed {
            None => Ok(()),
            Some(error) => Err(error.with_addr(&self.step.addr).into()),
        }
    }
}

/// Whether another place, or another size, may have what this one had not.
const fn is_short(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Capacity | ErrorKind::Quota)
}
