//! What the hosts have room for.

use async_trait::async_trait;
use strat_model::{Name, Offer, Pool, Quota, Result};
use strat_provider::Offers;

use crate::provider::LibvirtProvider;
use crate::site::Site;

#[async_trait]
impl Offers for LibvirtProvider {
    async fn zones(&self) -> Result<Vec<Name>> {
        self.run("zones", |site| Ok(site.zones())).await
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        self.run("list_offers", Site::list_offers).await
    }

    async fn free(&self) -> Result<Option<Pool>> {
        self.run("free", |site| site.free().map(Some)).await
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        Ok(Vec::new())
    }
}
