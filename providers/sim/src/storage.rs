//! Volumes and buckets.

use async_trait::async_trait;
use strat_model::{BucketSpec, Kind, Resource, ResourceId, Result, Spec, VolumeSpec};
use strat_provider::{Create, Storage, Update};

use crate::provider::SimProvider;

#[async_trait]
impl Storage for SimProvider {
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        self.create("create_volume", Spec::Volume(request.spec.clone()), request)
            .await
    }

    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        self.update("update_volume", Spec::Volume(request.spec.clone()), request)
            .await
    }

    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.write("attach_volume", |cloud, tx| {
            cloud.attach_volume(tx, id, machine)
        })
        .await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.write("detach_volume", |cloud, tx| {
            cloud.note_pulled(tx, id);
            cloud.detach_volume(tx, id)
        })
        .await
    }

    async fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_volume", Kind::Volume, id).await
    }

    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        self.create("create_bucket", Spec::Bucket(request.spec.clone()), request)
            .await
    }

    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        self.update("update_bucket", Spec::Bucket(request.spec.clone()), request)
            .await
    }

    async fn delete_bucket(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_bucket", Kind::Bucket, id).await
    }
}
