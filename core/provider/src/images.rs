//! Images.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{ImageSpec, PublicImages, Resource, ResourceId, Result};

use crate::{Create, Update};

/// Images. What every method promises is said at the head of the crate.
#[async_trait]
pub trait Images: Debug + Send + Sync {
    /// This site's current images for the neutral names (`debian-12`) that it has, by the
    /// instruction sets that it sells.
    async fn public_images(&self) -> Result<PublicImages>;

    /// Makes an image of a file. The provider checks the SHA-256.
    async fn create_image(&self, request: Create<'_, ImageSpec>) -> Result<Resource>;
    /// Changes an image in place.
    async fn update_image(&self, request: Update<'_, ImageSpec>) -> Result<Resource>;
    /// Deletes an image. `Conflict` where the cloud forbids it while machines use it.
    async fn delete_image(&self, id: &ResourceId) -> Result<()>;
}
