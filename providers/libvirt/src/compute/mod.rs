//! Machines and key pairs.

mod create;
mod domain;
mod finish;
mod ground;
mod keypairs;
mod machines;
mod resize;
mod seen;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::{CreateMachines, MachineBatch, Machines, Outcome, Shutdown};

pub(crate) use domain::{Plug, disk_name, disk_xml};
pub(crate) use machines::machine_id;

use crate::provider::{LibvirtProvider, OwnedCreate};

#[async_trait]
impl Machines for LibvirtProvider {
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

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let ids = ids.to_vec();
        self.run("start_machines", move |site| Ok(site.start_machines(&ids)))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        let ids = ids.to_vec();
        self.run("stop_machines", move |site| {
            Ok(site.stop_machines(&ids, how))
        })
        .await
    }
}
