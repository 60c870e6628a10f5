//! Public images.

use async_trait::async_trait;
use strat_model::{PublicImages, Result};
use strat_provider::Images;

use crate::provider::SimProvider;

#[async_trait]
impl Images for SimProvider {
    async fn public_images(&self) -> Result<PublicImages> {
        self.read("public_images", |cloud, _| Ok(cloud.images.clone()))
            .await
    }
}
