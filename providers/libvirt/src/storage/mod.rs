//! Volumes; and buckets, where the site has an S3.

mod attach;
mod carry;
mod foreign;
mod volumes;

use async_trait::async_trait;
use strat_model::{BucketSpec, Kind, Resource, ResourceId, Result, VolumeSpec};
use strat_provider::{Create, Storage, Update};

use crate::error::told;
use crate::provider::{LibvirtProvider, OwnedCreate, OwnedUpdate};
use crate::site::no_such_kind;

#[async_trait]
impl Storage for LibvirtProvider {
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        let request = OwnedCreate::of(request);
        self.run("create_volume", move |site| site.create_volume(&request))
            .await
    }

    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource> {
        let request = OwnedUpdate::of(request);
        self.run("update_volume", move |site| site.update_volume(&request))
            .await
    }

    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        let (id, machine) = (id.clone(), machine.clone());
        self.run("attach_volume", move |site| {
            site.attach_volume(&id, &machine)
        })
        .await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("detach_volume", move |site| site.detach_volume(&id))
            .await
    }

    async fn delete_volume(&self, id: &ResourceId) -> Result<()> {
        let id = id.clone();
        self.run("delete_volume", move |site| site.delete_volume(&id))
            .await
    }

    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource> {
        match self.buckets() {
            Some(buckets) => told("create_bucket", buckets.create(request).await),
            None => Err(no_such_kind(Kind::Bucket)),
        }
    }

    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource> {
        match self.buckets() {
            Some(buckets) => told("update_bucket", buckets.update(request).await),
            None => Err(no_such_kind(Kind::Bucket)),
        }
    }

    async fn delete_bucket(&self, id: &ResourceId) -> Result<()> {
        match self.buckets() {
            Some(buckets) => told("delete_bucket", buckets.delete(id).await),
            None => Ok(()),
        }
    }
}
