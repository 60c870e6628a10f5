//! Volumes and buckets.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{BucketSpec, Resource, ResourceId, Result, VolumeSpec};

use crate::{Create, Update};

/// Storage. What every method promises is said at the head of the crate.
#[async_trait]
pub trait Storage: Debug + Send + Sync {
    /// Makes a volume, unattached whatever the spec says.
    async fn create_volume(&self, request: Create<'_, VolumeSpec<ResourceId>>) -> Result<Resource>;
    /// Changes a volume in place: it may grow. Never attaches or detaches.
    async fn update_volume(&self, request: Update<'_, VolumeSpec<ResourceId>>) -> Result<Resource>;
    /// Attaches a volume to a machine of its zone.
    ///
    /// # Behavior
    /// - Attached to that machine already: `Ok`. To another: `Conflict`.
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()>;
    /// Detaches a volume from whatever machine it is attached to. Detached already: `Ok`.
    async fn detach_volume(&self, id: &ResourceId) -> Result<()>;
    /// Deletes a volume. `Conflict` while it is attached.
    async fn delete_volume(&self, id: &ResourceId) -> Result<()>;

    /// Makes a bucket that nobody else can read.
    async fn create_bucket(&self, request: Create<'_, BucketSpec>) -> Result<Resource>;
    /// Changes a bucket in place.
    async fn update_bucket(&self, request: Update<'_, BucketSpec>) -> Result<Resource>;
    /// Deletes a bucket. `Conflict` while there is anything in it.
    async fn delete_bucket(&self, id: &ResourceId) -> Result<()>;
}
