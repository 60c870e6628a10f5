//! Volumes and buckets.

use async_trait::async_trait;
use strat_model::{BucketSpec, Kind, Resource, ResourceId, Result, VolumeSpec};

use super::{Api, Layered};
use crate::{Create, Storage, Update};

#[async_trait]
impl Storage for Layered {
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        let call = self
            .write(Api::Storage, "create_volume", Kind::Volume)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.storage().create_volume(request))
            .await
    }

    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        let call = self
            .write(Api::Storage, "update_volume", Kind::Volume)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.storage().update_volume(request))
            .await
    }

    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Storage, "attach_volume", Kind::Volume)
            .on(id);
        self.forward(call, || self.inner.storage().attach_volume(id, machine))
            .await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Storage, "detach_volume", Kind::Volume)
            .on(id);
        self.forward(call, || self.inner.storage().detach_volume(id))
            .await
    }

    async fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Storage, "delete_volume", Kind::Volume)
            .on(id);
        self.forward(call, || self.inner.storage().delete_volume(id))
            .await
    }

    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Storage, "create_bucket", Kind::Bucket)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.storage().create_bucket(request))
            .await
    }

    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Storage, "update_bucket", Kind::Bucket)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.storage().update_bucket(request))
            .await
    }

    async fn delete_bucket(&self, id: &ResourceId) -> Result<()> {
        let call = self
            .write(Api::Storage, "delete_bucket", Kind::Bucket)
            .on(id);
        self.forward(call, || self.inner.storage().delete_bucket(id))
            .await
    }
}
