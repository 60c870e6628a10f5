//! Machines and key pairs.

mod change;
mod disks;
mod keypair;
mod launch;
mod machine;
mod names;
mod setup;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::{CreateMachines, MachineBatch, Machines, Outcome, Shutdown};

pub(crate) use disks::DISKS_MAX;
pub(crate) use launch::Shortened;
pub(crate) use names::common_names;

use crate::provider::AwsProvider;

#[async_trait]
impl Machines for AwsProvider {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        self.launch(request).await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        self.start(ids).await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        self.stop(ids, how).await
    }
}
