//! Images.

use async_trait::async_trait;
use strat_model::{ImageSpec, Kind, PublicImages, Resource, ResourceId, Result};

use super::{Api, Layered};
use crate::{Create, Images, Update};

#[async_trait]
impl Images for Layered {
    async fn public_images(&self) -> Result<PublicImages> {
        let call = self.read(Api::Images, "public_images").of_kind(Kind::Image);
        self.forward(call, || self.inner.images().public_images())
            .await
    }

    async fn create_image(&self, request: Create<'_, ImageSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Images, "create_image", Kind::Image)
            .at(&request.mark.addr);
        self.forward(call, || self.inner.images().create_image(request))
            .await
    }

    async fn update_image(&self, request: Update<'_, ImageSpec>) -> Result<Resource> {
        let call = self
            .write(Api::Images, "update_image", Kind::Image)
            .at(&request.mark.addr)
            .on(request.id);
        self.forward(call, || self.inner.images().update_image(request))
            .await
    }

    async fn delete_image(&self, id: &ResourceId) -> Result<()> {
        let call = self.write(Api::Images, "delete_image", Kind::Image).on(id);
        self.forward(call, || self.inner.images().delete_image(id))
            .await
    }
}
