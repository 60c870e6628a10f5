//! Images.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{ImageSpec, Resource, ResourceId, Result};

use crate::{Create, Update};

/// Images. What every method promises is said at the head of the crate.
#[async_trait]
pub trait Images: Debug + Send + Sync {
    /// This site's current image for each neutral name (`debian-12`) that it has.
    async fn public_images(&self) -> Result<BTreeMap<String, ResourceId>>;

    /// Makes an image of a file. The provider checks the SHA-256.
    async fn create_image(&self, request: Create<'_, ImageSpec>) -> Result<Resource>;
    /// Changes an image in place.
    async fn update_image(&self, request: Update<'_, ImageSpec>) -> Result<Resource>;
    /// Deletes an image. `Conflict` where the cloud forbids it while machines use it.
    async fn delete_image(&self, id: &ResourceId) -> Result<()>;
}
