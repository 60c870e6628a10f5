//! Machines and key pairs.

use async_trait::async_trait;
use strat_model::{KeypairSpec, Kind, MachineSpec, Resource, ResourceId, Result, Spec};
use strat_provider::{Compute, Create, CreateMachines, MachineBatch, Shutdown, Update};

use crate::provider::SimProvider;
use crate::rules::Request;

#[async_trait]
impl Compute for SimProvider {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let (created, shortfall) = self
            .write("create_machines", |cloud, tx| {
                let CreateMachines {
                    spec,
                    names,
                    mark,
                    token,
                } = request;
                cloud.create_machines(tx, spec, names, Request { mark, token })
            })
            .await?;
        Ok(MachineBatch { created, shortfall })
    }

    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        self.update(
            "update_machine",
            Spec::Machine(request.spec.clone()),
            request,
        )
        .await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<()> {
        self.write("start_machines", |cloud, tx| cloud.start_machines(tx, ids))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<()> {
        self.write("stop_machines", |cloud, tx| {
            cloud.stop_machines(tx, ids, how)
        })
        .await
    }

    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()> {
        self.write("delete_machines", |cloud, tx| {
            cloud.delete_machines(tx, ids)
        })
        .await
    }

    async fn create_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource> {
        self.create(
            "create_keypair",
            Spec::Keypair(request.spec.clone()),
            request,
        )
        .await
    }

    async fn update_keypair(&self, request: Update<'_, KeypairSpec>) -> Result<Resource> {
        self.update(
            "update_keypair",
            Spec::Keypair(request.spec.clone()),
            request,
        )
        .await
    }

    async fn delete_keypair(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_keypair", Kind::Keypair, id).await
    }
}
