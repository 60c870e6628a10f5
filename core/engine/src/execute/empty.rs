//! Emptying buckets before they are deleted.

use strat_model::{ErrorKind, Resource, ResourceId};
use strat_planner::TargetRef;
use strat_provider::ProviderExt as _;

use super::context::Failure;
use super::step::{Begin, StepRun};
use crate::{Event, StopLevel};

impl StepRun<'_, '_> {
    /// Empties the buckets whose contents may go: those that were agreed to, and those whose own
    /// mark gives them up. What others hold keeps them.
    pub(super) async fn empty_buckets(
        &mut self,
        targets: &[TargetRef],
        doomed: &[Resource],
    ) -> Result<(), Failure> {
        for bucket in doomed {
            let consent = self.context.run.consent;
            let agreed = consent.may_lose(&self.step.site, &bucket.id);
            let given_up = bucket.mark.as_ref().is_some_and(|mark| mark.disposable);
            let needs_none = |target: &TargetRef| target.id == bucket.id && !target.data_loss;
            let lifted = given_up && targets.iter().any(needs_none);
            let empty = bucket.attributes.get(Resource::EMPTY);
            if empty.is_none_or(|empty| empty != "true") && (agreed || lifted) {
                self.empty_bucket(&bucket.id).await?;
            }
        }
        Ok(())
    }

    /// Takes everything out of a bucket, call by call. Interrupted, the next apply goes on.
    async fn empty_bucket(&mut self, id: &ResourceId) -> Result<(), Failure> {
        let ids = std::slice::from_ref(id);
        let entry = self
            .begin(Begin {
                ids,
                ..Begin::default()
            })
            .await?;
        let mut removed = 0;
        loop {
            self.context.check_leases(&self.step.site)?;
            let portion = match self.provider.empty_bucket(id).await {
                Ok(portion) => portion,
                // The delete says whether there is anything in it.
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    return self.end(entry, Ok(()), |()| ids.to_vec()).await;
                }
                Err(error) => return self.end(entry, Err(error), |()| ids.to_vec()).await,
            };
            removed += portion.removed;
            self.context.run.events.send(Event::Emptying {
                step: self.step.id.0,
                addr: self.step.addr.clone(),
                site: self.step.site.clone(),
                removed,
            });
            if !portion.left {
                return self.end(entry, Ok(()), |()| ids.to_vec()).await;
            }
            if self.context.run.stop.level() != StopLevel::Run {
                self.end(entry, Ok(()), |()| ids.to_vec()).await?;
                return Err(Failure::Abandoned);
            }
        }
    }
}
