//! Machines and key pairs.

mod change;
mod disks;
mod keypair;
mod launch;
mod machine;
mod names;
mod reason;
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
        self.explain(self.launch(request).await).await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let started = self.explain(self.start(ids).await).await?;
        Ok(self.explain_each(started).await)
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        let stopped = self.explain(self.stop(ids, how).await).await?;
        Ok(self.explain_each(stopped).await)
    }
}
