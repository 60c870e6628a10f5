//! Images that a site offers to everybody.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{PublicImages, Result};

/// Public images.
#[async_trait]
pub trait Images: Debug + Send + Sync {
    /// This site's current images for the neutral names (`debian-12`) that it has, by the
    /// instruction sets that it sells.
    ///
    /// # Errors
    /// `Invalid` where an image that the site's settings name is not there.
    async fn public_images(&self) -> Result<PublicImages>;
}
