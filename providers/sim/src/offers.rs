//! What is on sale, and the limits.

use async_trait::async_trait;
use strat_model::{Name, Offer, Pool, Quota, Result};
use strat_provider::Offers;

use crate::provider::SimProvider;

#[async_trait]
impl Offers for SimProvider {
    async fn zones(&self) -> Result<Vec<Name>> {
        self.read("zones", |cloud, _| Ok(cloud.site.zones.clone()))
            .await
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        self.read("list_offers", |cloud, _| Ok(cloud.offers.clone()))
            .await
    }

    async fn free(&self) -> Result<Option<Pool>> {
        self.read("free", |cloud, tx| Ok(cloud.free(tx))).await
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        self.read("quotas", |cloud, tx| Ok(cloud.quotas(tx))).await
    }
}
