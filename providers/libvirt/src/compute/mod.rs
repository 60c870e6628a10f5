//! Machines and key pairs.

mod create;
mod domain;
mod finish;
mod ground;
mod keypairs;
mod machines;

use async_trait::async_trait;
use strat_model::{KeypairSpec, MachineSpec, Resource, ResourceId, Result};
use strat_provider::{Compute, Create, CreateMachines, MachineBatch, Shutdown, Update};

pub(crate) use domain::{Plug, disk_name, disk_xml};

use crate::provider::{LibvirtProvider, OwnedCreate, OwnedUpdate};

#[async_trait]
impl Compute for LibvirtProvider {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let names = request.names.to_vec();
        let request = OwnedCreate {
            spec: request.spec.clone(),
            name: String::new(),
            mark: request.mark.clone(),
            token: request.token.clone(),
        };
        self.run("create_machines", move |site| {
            site.create_machines(&request, &names)
        })
        .await
    }

    async fn update_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_machine", move |site| site.update_machine(&request))
            .await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<()> {
        let ids = ids.to_vec();
        self.run("start_machines", move |site| site.start_machines(&ids))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<()> {
        let ids = ids.to_vec();
        self.run("stop_machines", move |site| site.stop_machines(&ids, how))
            .await
    }

    async fn delete_machines(&self, ids: &[ResourceId]) -> Result<()> {
        let ids = ids.to_vec();
        self.run("delete_machines", move |site| site.delete_machines(&ids))
            .await
    }

    async fn create_keypair(&self, request: Create<'_, KeypairSpec>) -> Result<Resource> {
        let request = OwnedCreate::of(request);
        self.run("create_keypair", move |site| site.create_keypair(&request))
            .await
    }

    async fn update_keypair(&self, request: Update<'_, KeypairSpec>) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_keypair", move |site| site.update_keypair(&request))
            .await
    }

    async fn delete_keypair(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("delete_keypair", move |site| site.delete_keypair(&id))
            .await
    }
}
