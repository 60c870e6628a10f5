//! Machines and key pairs.

mod change;
mod disks;
mod keypair;
mod launch;
mod machine;
mod names;

use async_trait::async_trait;
use strat_model::{KeypairSpec, MachineSpec, Resource, ResourceId, Result};
use strat_provider::{Compute, Create, CreateMachines, MachineBatch, Shutdown, Update};

pub(crate) use launch::Shortened;

use crate::provider::AwsProvider;

#[async_trait]
impl Compute for AwsProvider {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        self.launch(request).await
    }

    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.change_machine(request).await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<()> {
        self.start(ids).await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<()> {
        self.stop(ids, how).await
    }

    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()> {
        self.terminate(ids).await
    }

    async fn create_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource> {
        self.make_keypair(request).await
    }

    async fn update_keypair(&self, request: Update<'_, KeypairSpec>) -> Result<Resource> {
        self.change_keypair(request).await
    }

    async fn delete_keypair(&self, id: &ResourceId) -> Result<()> {
        self.end_keypair(id).await
    }
}
