//! Starting, stopping and deleting machines.

use async_trait::async_trait;
use google_cloud_compute_v1::model::instance::Status;
use strat_model::{ErrorKind, Kind, ResourceId, Result};
use strat_provider::{CreateMachines, MachineBatch, Machines, Outcome, Shutdown};

use crate::error::{failed, gone, if_there};
use crate::names::Zonal;
use crate::provider::GcpProvider;

#[async_trait]
impl Machines for GcpProvider {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        self.launch(request).await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        Ok(Outcome::of_each(ids, |id| self.start(id)).await)
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        Ok(Outcome::of_each(ids, |id| self.stop(id, how)).await)
    }
}

impl GcpProvider {
    /// Where a machine is, and what it does.
    async fn status(&self, id: &ResourceId) -> Result<(Zonal, Option<Status>)> {
        let missing = || gone(Kind::Machine, id);
        let at = Zonal::of_id(id).ok_or_else(missing)?;
        let instance = self.read_instance(&at).await?.ok_or_else(missing)?;
        Ok((at, instance.status))
    }

    /// Whether there is room is told by the operation alone, so it is waited for.
    async fn start(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.instances.start";
        let (at, status) = self.status(id).await?;
        let _turn = self.turns.at(&at).await;
        if matches!(
            status,
            Some(Status::Running | Status::Provisioning | Status::Staging)
        ) {
            return Ok(());
        }
        let call = self
            .access
            .instances
            .start()
            .set_project(&self.settings.project);
        let call = call.set_zone(&at.zone).set_instance(&at.name);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    /// Google asks the system to shut down and cuts the power after 90 seconds; without the graceful
    /// part, at once.
    ///
    /// <https://cloud.google.com/compute/docs/instances/stop-start-instance>
    async fn stop(&self, id: &ResourceId, how: Shutdown) -> Result<()> {
        const ACTION: &str = "compute.instances.stop";
        let (at, status) = self.status(id).await?;
        let _turn = self.turns.at(&at).await;
        let off = [Status::Terminated, Status::Stopped];
        if status.as_ref().is_some_and(|status| off.contains(status)) {
            return Ok(());
        }
        if status == Some(Status::Stopping) && how == Shutdown::Ask {
            return Ok(());
        }
        let call = self
            .access
            .instances
            .stop()
            .set_project(&self.settings.project);
        let mut call = call.set_zone(&at.zone).set_instance(&at.name);
        if how == Shutdown::Cut {
            call = call.set_no_graceful_shutdown(true);
        }
        call.send().await.map(|_| ()).map_err(failed(ACTION))
    }

    /// Tells a machine to go; nothing is waited for. Its own disks go with it, and what else is
    /// attached is let go.
    pub(crate) async fn end_machine(&self, id: &ResourceId) -> Result<()> {
        const ACTION: &str = "compute.instances.delete";
        let Some(at) = Zonal::of_id(id) else {
            return Ok(());
        };
        let _turn = self.turns.at(&at).await;
        let Some(instance) = self.read_instance(&at).await? else {
            return Ok(());
        };
        let number = instance.id.unwrap_or_default();
        if self.ended.contains(id, number) {
            return Ok(());
        }
        let call = self
            .access
            .instances
            .delete()
            .set_project(&self.settings.project);
        let call = call.set_zone(&at.zone).set_instance(&at.name);
        match if_there(call.send().await.map_err(failed(ACTION))) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => {
                self.ended.insert(id, number);
                Ok(())
            }
            // It is being deleted by somebody else, or its disks are held for a moment.
            Err(error) if error.kind() == ErrorKind::Precondition => {
                Err(error.with_kind(ErrorKind::Conflict))
            }
            Err(error) => Err(error),
        }
    }
}
