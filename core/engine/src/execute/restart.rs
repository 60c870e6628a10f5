//! Changing what a machine has to be off for, such as its type.

use std::collections::BTreeSet;

use strat_model::{Error, ErrorKind, Field, Resource, ResourceId, Spec};
use strat_planner::TargetRef;
use strat_provider::{Outcome, ProviderExt as _};

use super::context::Failure;
use super::shutdown::runs;
use super::step::{Begin, StepRun};
use super::wait::Until;

impl StepRun<'_, '_> {
    /// Shuts a machine down, changes it, and starts it again.
    ///
    /// # Guarantees
    ///
    /// - Interrupted anywhere, the next plan sees what is left: a machine that is off is started, one
    ///   that differs is changed.
    /// - One that does not shut down in time stays as it is.
    /// - One that cannot be changed, or for whose new type there is no capacity or quota, is made what it
    ///   was, mark included, and started; the step fails all the same, so that the next plan avoids
    ///   that type.
    pub(super) async fn restart(
        &mut self,
        target: &TargetRef,
        goal: usize,
        fields: &BTreeSet<Field>,
    ) -> Result<(), Failure> {
        let fresh = self.read_expected(std::slice::from_ref(target)).await?;
        let Some(before) = fresh.first().cloned() else {
            return Ok(());
        };
        self.settle_pending(&fresh).await?;
        let running: Vec<Resource> = fresh.into_iter().filter(runs).collect();
        self.shut_down(&running).await?;
        let ids = [before.id.clone()];
        // What cannot be changed does not stay off for it.
        if let Err(failure) = self.update(Some(target), goal, fields).await {
            return match failure {
                Failure::Error(error) => Err(self.back(&before, fields, error).await),
                other => Err(other),
            };
        }
        match self.switch_on(&ids).await {
            Err(Failure::Error(error))
                if matches!(error.kind(), ErrorKind::Capacity | ErrorKind::Quota) =>
            {
                Err(self.back(&before, fields, error).await)
            }
            outcome => outcome,
        }
    }

    async fn switch_on(&mut self, ids: &[ResourceId]) -> Result<(), Failure> {
        let entry = self
            .begin(Begin {
                ids,
                ..Begin::default()
            })
            .await?;
        let answer = Outcome::all_done(self.provider.start_machines(ids).await);
        self.end(entry, answer, |()| ids.to_vec()).await?;
        self.wait_and_learn(ids, &Until::Ready).await
    }

    /// Makes a machine what it was, and starts it, since it cannot be changed, or started as what it became. Gives
    /// what is said of it.
    async fn back(
        &mut self,
        before: &Resource,
        fields: &BTreeSet<Field>,
        refused: Error,
    ) -> Failure {
        let was = match &before.spec {
            Spec::Machine(spec) => spec.machine_type.as_str(),
            _ => "what it was",
        };
        let ids = [before.id.clone()];
        let (said, undone) = match self.put_back(before, fields, &ids).await {
            Ok(()) => (format!("it runs again as it was before, as {was}"), None),
            Err(Failure::Error(error)) => {
                let what = "it is off: it could not be started as it was before either, as";
                (format!("{what} {was}"), Some(error))
            }
            Err(other) => return other,
        };
        let error = match undone {
            Some(why) => refused.wrapped(format!("{said} ({why})")),
            None => refused.wrapped(said),
        };
        error.with_addr(&self.step.addr).into()
    }

    async fn put_back(
        &mut self,
        before: &Resource,
        fields: &BTreeSet<Field>,
        ids: &[ResourceId],
    ) -> Result<(), Failure> {
        let Some(mark) = &before.mark else {
            return Err(self
                .error(ErrorKind::Precondition, "it had no mark before")
                .into());
        };
        // A disk that has grown cannot shrink.
        let mut fields = fields.clone();
        fields.remove(&Field::Disks);
        let entry = self.begin(Begin::change(ids, mark)).await?;
        let update = self.provider.update(&ids[0], &before.spec, &fields, mark);
        let answer = update.await;
        let updated = self.end(entry, answer, |_| ids.to_vec()).await?;
        self.settled(ids, updated).await?;
        self.switch_on(ids).await
    }
}
