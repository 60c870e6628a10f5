//! Volumes and buckets.

mod bucket;
pub(crate) mod class;
pub(crate) mod encryption;
mod secure;
pub(crate) mod volume;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::{Attachment, Contents, Emptied};

use crate::provider::AwsProvider;

#[async_trait]
impl Attachment for AwsProvider {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.explain(self.attach(id, machine).await).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.explain(self.detach(id).await).await
    }
}

#[async_trait]
impl Contents for AwsProvider {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        strat_s3::empty(&self.access.s3, id.as_str()).await
    }
}
