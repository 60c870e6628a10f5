//! Machines and key pairs.

use async_trait::async_trait;
use strat_model::{KeypairSpec, Kind, MachineSpec, Resource, ResourceId, Result};

use super::{Api, Layered};
use crate::{Compute, Create, CreateMachines, MachineBatch, Shutdown, Update};

#[async_trait]
impl Compute for Layered {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let call = self
            .write(Api::Compute, "create_machines", Kind::Machine)
            .at(&request.mark.addr)
            .batch(request.names.len());
        self.forward(call, || self.inner.compute().create_machines(request))
            .await
    }

    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let call = self
            .write(Api::Compute, "update_machine", Kind::Machine)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.compute().update_machine(request))
            .await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<()> {
        let call = self
            .write(Api::Compute, "start_machines", Kind::Machine)
            .batch(ids.len());
        self.forward(call, || self.inner.compute().start_machines(ids))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<()> {
        let call = self
            .write(Api::Compute, "stop_machines", Kind::Machine)
            .batch(ids.len());
        self.forward(call, || self.inner.compute().stop_machines(ids, how))
            .await
    }

    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()> {
        let call = self
            .write(Api::Compute, "delete_machines", Kind::Machine)
            .batch(ids.len());
        self.forward(call, || self.inner.compute().delete_machines(ids))
            .await
    }

    async fn create_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Compute, "create_keypair", Kind::Keypair)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.compute().create_keypair(request))
            .await
    }

    async fn update_keypair(&self, request: Update<'_, KeypairSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Compute, "update_keypair", Kind::Keypair)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.compute().update_keypair(request))
            .await
    }

    async fn delete_keypair(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Compute, "delete_keypair", Kind::Keypair)
            .on(id);
        self.forward(call, || self.inner.compute().delete_keypair(id))
            .await
    }
}
