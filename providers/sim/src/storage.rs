//! Volumes on machines, and what is in buckets.

use async_trait::async_trait;
use strat_model::{ResourceId, Result};
use strat_provider::{Attachment, Contents, Emptied};

use crate::provider::SimProvider;

#[async_trait]
impl Attachment for SimProvider {
    async fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        self.write("attach_volume", |cloud, tx| {
            cloud.attach_volume(tx, id, machine)
        })
        .await
    }

    async fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        self.write("detach_volume", |cloud, tx| {
            cloud.note_pulled(tx, id);
            cloud.detach_volume(tx, id)
        })
        .await
    }
}

#[async_trait]
impl Contents for SimProvider {
    async fn empty_bucket(&self, id: &ResourceId) -> Result<Emptied> {
        self.write("empty_bucket", |cloud, tx| cloud.empty_bucket(tx, id))
            .await
    }
}
