//! Machines in batches, and their power.

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::{CreateMachines, MachineBatch, Machines, Outcome, Shutdown};

use crate::provider::SimProvider;
use crate::rules::Request;

#[async_trait]
impl Machines for SimProvider {
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

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        self.write("start_machines", |cloud, tx| cloud.start_machines(tx, ids))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        self.write("stop_machines", |cloud, tx| {
            cloud.stop_machines(tx, ids, how)
        })
        .await
    }
}
