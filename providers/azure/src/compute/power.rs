//! Starting, stopping and deleting machines.

use async_trait::async_trait;
use reqwest::Method;
use strat_model::{Kind, ResourceId, ResourceState, Result};
use strat_provider::{CreateMachines, MachineBatch, Machines, Outcome, Shutdown};

use super::launch::DELETE;
use super::machine::{Power, power, state};
use crate::arm::Call;
use crate::error::{gone, if_there};
use crate::names::{Place, VM};
use crate::provider::AzureProvider;

const START: &str = "Microsoft.Compute/virtualMachines/start/action";
const POWER_OFF: &str = "Microsoft.Compute/virtualMachines/powerOff/action";

#[async_trait]
impl Machines for AzureProvider {
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

impl AzureProvider {
    /// Where a machine is, and whether it is on.
    async fn power_of(&self, id: &ResourceId) -> Result<(Place, Option<Power>)> {
        let missing = || gone(Kind::Machine, id);
        let at = Place::of_id(id).ok_or_else(missing)?;
        let vm = self.read_vm(&at).await?.ok_or_else(missing)?;
        Ok((at, power(vm.properties.instance_view.as_ref())))
    }

    /// Whether there is room is told by the operation alone, so it is waited for.
    async fn start(&self, id: &ResourceId) -> Result<()> {
        let (at, power) = self.power_of(id).await?;
        if power == Some(Power::Running) {
            return Ok(());
        }
        let _turn = self.turns.at(&id.to_string()).await;
        let path = format!("{}/start", self.path(VM, &at));
        self.done(&Call::new(START, Method::POST, path, VM.version))
            .await
    }

    /// The host is kept, so that the machine can be had again; a change that needs it gives it back.
    ///
    /// <https://learn.microsoft.com/azure/virtual-machines/states-billing>
    async fn stop(&self, id: &ResourceId, how: Shutdown) -> Result<()> {
        let (at, power) = self.power_of(id).await?;
        if matches!(power, Some(Power::Stopped | Power::Deallocated)) {
            return Ok(());
        }
        let _turn = self.turns.at(&id.to_string()).await;
        let path = format!("{}/powerOff", self.path(VM, &at));
        let cut = (how == Shutdown::Cut).to_string();
        let call = Call::new(POWER_OFF, Method::POST, path, VM.version);
        self.send(&call.with("skipShutdown", cut)).await.map(|_| ())
    }

    /// Tells a machine to go; nothing is waited for. Its interface, its own disks and its own address go
    /// with it, and what else is attached is let go.
    pub(crate) async fn end_machine(&self, id: &ResourceId) -> Result<()> {
        let Some(at) = Place::of_id(id) else {
            return Ok(());
        };
        let _turn = self.turns.at(&id.to_string()).await;
        // One that is going already refuses to be told again.
        match self.read_vm(&at).await? {
            None => return Ok(()),
            Some(vm) if state(&vm.properties) == ResourceState::Deleting => return Ok(()),
            Some(_) => {}
        }
        let call = Call::new(DELETE, Method::DELETE, self.path(VM, &at), VM.version);
        if_there(self.send(&call).await).map(|_| ())
    }
}
