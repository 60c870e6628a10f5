//! Volumes and buckets.

mod bucket;
pub(crate) mod class;
mod volume;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::Attachment;

use crate::provider::AwsProvider;

#[async_trait]
impl Attachment for AwsProvider {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.attach(id, machine).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.detach(id).await
    }
}
