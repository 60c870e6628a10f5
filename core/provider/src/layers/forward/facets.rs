//! What only some providers have. None of these is asked for where the inner provider has it not;
//! who asks all the same is told so.

use async_trait::async_trait;
use strat_model::{
    Error, ErrorKind, Kind, Name, Offer, Pool, PublicImages, Quota, ResourceId, Result,
};

use super::{Api, Layered};
use crate::{
    Attachment, Contents, CreateMachines, Emptied, Images, MachineBatch, Machines, Offers, Outcome,
    PermissionCheck, Permissions, Shutdown,
};

/// The inner provider's facet, within a method of the same facet.
macro_rules! inner {
    ($layered:ident.$facet:ident) => {
        $layered.inner.$facet().ok_or_else(|| {
            let what = concat!("this provider has no facet `", stringify!($facet), "`");
            Error::new(ErrorKind::Unsupported, what)
        })?
    };
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Machines for Layered {
    async fn create_machines(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let machines = inner!(self.machines);
        let call = self
            .write(Kind::Machine, "create_machines")
            .at(&request.mark.addr)
            .batch(request.names.len());
        self.forward_partial(call, || machines.create_machines(request))
            .await
    }

    async fn start_machines(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        let machines = inner!(self.machines);
        let call = self.write(Kind::Machine, "start_machines").batch(ids.len());
        self.forward_partial(call, || machines.start_machines(ids))
            .await
    }

    async fn stop_machines(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        let machines = inner!(self.machines);
        let call = self.write(Kind::Machine, "stop_machines").batch(ids.len());
        self.forward_partial(call, || machines.stop_machines(ids, how))
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Attachment for Layered {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        let attachment = inner!(self.attachment);
        let call = self.write(Kind::Volume, "attach_volume").on(id);
        self.forward(call, || attachment.attach_volume(id, machine))
            .await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let attachment = inner!(self.attachment);
        let call = self.write(Kind::Volume, "detach_volume").on(id);
        self.forward(call, || attachment.detach_volume(id)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Contents for Layered {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        let contents = inner!(self.contents);
        let call = self.write(Kind::Bucket, "empty_bucket").on(id);
        self.forward(call, || contents.empty_bucket(id)).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Images for Layered {
    async fn public_images(&self) -> Result<PublicImages> {
        let images = inner!(self.images);
        let call = self.read(Api::Images, "public_images").of_kind(Kind::Image);
        self.forward(call, || images.public_images()).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Offers for Layered {
    async fn zones(&self) -> Result<Vec<Name>> {
        let offers = inner!(self.offers);
        let call = self.read(Api::Offers, "zones");
        self.forward(call, || offers.zones()).await
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        let offers = inner!(self.offers);
        let call = self.read(Api::Offers, "list_offers");
        self.forward(call, || offers.list_offers()).await
    }

    async fn free(&self) -> Result<Option<Pool>> {
        let offers = inner!(self.offers);
        let call = self.read(Api::Offers, "free");
        self.forward(call, || offers.free()).await
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        let offers = inner!(self.offers);
        let call = self.read(Api::Offers, "quotas");
        self.forward(call, || offers.quotas()).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Permissions for Layered {
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>> {
        let permissions = inner!(self.permissions);
        let call = self.read(Api::Identity, "check_permissions");
        self.forward(call, || permissions.check_permissions()).await
    }
}
