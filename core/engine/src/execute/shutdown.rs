//! Shutting machines down, so that nothing that is mounted is pulled off them.

use strat_model::{ErrorKind, Kind, Resource, ResourceId, ResourceState, Result, Spec};
use strat_planner::TargetRef;
use strat_provider::{Outcome, ProviderExt as _, Shutdown};

use super::context::Failure;
use super::step::{Begin, StepRun};
use super::wait::Until;

impl StepRun<'_, '_> {
    /// Shuts machines down before their volumes are let go.
    pub(super) async fn stop(&mut self, targets: &[TargetRef]) -> Result<(), Failure> {
        let fresh = self.read_expected(targets).await?;
        self.settle_pending(&fresh).await?;
        let running: Vec<Resource> = fresh.into_iter().filter(runs).collect();
        self.shut_down(&running).await
    }

    /// Shuts those of these machines down that run, before they are deleted. What has no volumes
    /// and does not shut down in time, or cannot be switched off, is deleted as it is.
    pub(super) async fn shut_down_to_delete(&mut self, doomed: &[Resource]) -> Result<(), Failure> {
        let by_itself = self.provider.capabilities().delete_shuts_down;
        // What is still being made has nothing to lose, unless volumes are attached to it already.
        let first = |one: &&Resource| match one.state {
            ResourceState::Ready => !by_itself || self.has_volumes(&one.id),
            ResourceState::Pending => self.has_volumes(&one.id),
            _ => false,
        };
        let running: Vec<Resource> = doomed.iter().filter(first).cloned().collect();
        if running.is_empty() {
            return Ok(());
        }
        self.settle_pending(&running).await?;
        match self.shut_down(&running).await {
            Err(Failure::Error(error))
                if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unsupported)
                    && running.iter().all(|one| self.may_cut(&one.id)) =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Waits until machines that are still being made can be switched off.
    pub(super) async fn settle_pending(&mut self, machines: &[Resource]) -> Result<(), Failure> {
        let pending = machines
            .iter()
            .filter(|one| one.state == ResourceState::Pending);
        let pending: Vec<ResourceId> = pending.map(|one| one.id.clone()).collect();
        self.wait(&pending, &Until::Settled).await.map(drop)
    }

    /// Asks machines to shut down and waits until they are off. At the deadline the power of those
    /// is cut for which that was agreed to; the others stay as they are.
    pub(super) async fn shut_down(&mut self, running: &[Resource]) -> Result<(), Failure> {
        let ids: Vec<ResourceId> = running.iter().map(|one| one.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.switch_off(&ids, Shutdown::Ask).await?;
        let late = match self.wait(&ids, &Until::Stopped).await {
            Err(Failure::Error(error)) if error.kind() == ErrorKind::Timeout => error,
            outcome => return outcome.map(drop),
        };
        if !self.context.run.consent.may_cut(&self.step.addr) {
            let seconds = self.context.run.options.stop_deadline.as_secs();
            let addr = &self.step.addr;
            let what = format!(
                "it did not shut down within {seconds} s and is left as it is, since it may be \
                 writing to its volumes"
            );
            let help = format!(
                "see why, or shut it down by hand, then apply again; `force_stop` of {addr} cuts \
                 its power at that point"
            );
            let left = self.error(ErrorKind::Timeout, what).with_help(help);
            return Err(left.with_source(late).into());
        }
        self.switch_off(&ids, Shutdown::Cut).await?;
        self.wait(&ids, &Until::Stopped).await.map(drop)
    }

    async fn switch_off(&mut self, ids: &[ResourceId], how: Shutdown) -> Result<(), Failure> {
        let entry = self
            .begin(Begin {
                ids,
                ..Begin::default()
            })
            .await?;
        let answer = Outcome::all_done(self.provider.stop_machines(ids, how).await);
        self.end(entry, answer, |()| ids.to_vec()).await
    }

    /// Nothing is pulled off a machine that runs, whoever it belongs to.
    pub(super) async fn must_not_run(&self, machine: &ResourceId) -> Result<()> {
        let ids = std::slice::from_ref(machine);
        let read = self.context.read(&self.step.site, Kind::Machine, ids).await;
        let read = read.map_err(|error| error.with_addr(&self.step.addr))?;
        if read.iter().flatten().any(runs) {
            let what = format!("it is attached to {machine}, which runs and may be writing to it");
            let help = "shut that down, or unmount and detach it by hand, then apply again";
            return Err(self.error(ErrorKind::Precondition, what).with_help(help));
        }
        Ok(())
    }

    /// Whether a machine may be deleted though it did not shut down.
    fn may_cut(&self, id: &ResourceId) -> bool {
        !self.has_volumes(id) || self.context.run.consent.may_cut(&self.step.addr)
    }

    /// Whether volumes were attached to a machine when the plan was made.
    fn has_volumes(&self, id: &ResourceId) -> bool {
        let site = self.context.run.inventory.sites.get(&self.step.site);
        let mut things = site.into_iter().flat_map(|site| &site.resources);
        things.any(|thing| match &thing.spec {
            Spec::Volume(volume) => volume.attach.as_ref() == Some(id),
            _ => false,
        })
    }
}

/// Whether a machine runs, or is about to.
pub(super) fn runs(machine: &Resource) -> bool {
    matches!(machine.state, ResourceState::Ready | ResourceState::Pending)
}
