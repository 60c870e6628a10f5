//! Volumes; and buckets, where the site has an S3.

mod attach;
mod carry;
mod foreign;
mod volumes;

pub(crate) use volumes::VolumeBody;

use async_trait::async_trait;
use strat_model::{ErrorKind, ResourceId, Result};
use strat_provider::{Attachment, Contents, Emptied};

use crate::error::fail;
use crate::provider::LibvirtProvider;

#[async_trait]
impl Attachment for LibvirtProvider {
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
}

#[async_trait]
impl Contents for LibvirtProvider {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        match self.buckets() {
            Some(buckets) => buckets.empty(id).await,
            None => Err(fail(ErrorKind::Unsupported, "this site has no buckets")),
        }
    }
}
