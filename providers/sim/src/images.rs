//! Images.

use async_trait::async_trait;
use strat_model::{ImageSpec, Kind, PublicImages, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, Images, Update};

use crate::provider::SimProvider;

#[async_trait]
impl Images for SimProvider {
    async fn public_images(&self) -> Result<PublicImages> {
        self.read("public_images", |cloud, _| Ok(cloud.images.clone()))
            .await
    }

    async fn create_image(&self, request: Create<'_, ImageSpec>) -> Result<Resource> {
        self.create("create_image", Spec::Image(request.spec.clone()), request)
            .await
    }

    async fn update_image(&self, request: Update<'_, ImageSpec>) -> Result<Resource> {
        self.update("update_image", Spec::Image(request.spec.clone()), request)
            .await
    }

    async fn delete_image(&self, id: &ResourceId) -> Result<()> {
        self.delete("delete_image", Kind::Image, id).await
    }
}
