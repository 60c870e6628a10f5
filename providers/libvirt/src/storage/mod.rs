//! Volumes; and buckets, where the site has an S3.

mod attach;
mod carry;
mod foreign;
mod volumes;

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::Attachment;

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
