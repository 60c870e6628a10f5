//! Volumes and buckets.

mod bucket;
pub(crate) mod class;
mod volume;

use async_trait::async_trait;
use strat_model::{BucketSpec, Resource, ResourceId, Result, VolumeSpec};
use strat_provider::{Create, Storage, Update};

use crate::provider::AwsProvider;

#[async_trait]
impl Storage for AwsProvider {
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        self.make_volume(request).await
    }

    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        self.change_volume(request).await
    }

    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.attach(id, machine).await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.detach(id).await
    }

    async fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        self.end_volume(id).await
    }

    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        self.make_bucket(request).await
    }

    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        self.change_bucket(request).await
    }

    async fn delete_bucket(&self, id: &ResourceId) -> Result<()> {
        self.end_bucket(id).await
    }
}
