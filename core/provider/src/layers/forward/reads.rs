//! Observation and offers.

use async_trait::async_trait;
use strat_model::{Kind, Name, Offer, Pool, Quota, Resource, ResourceId, Result};

use super::{Api, Layered};
use crate::{Filter, Observe, Offers, Page, PageToken};

#[async_trait]
impl Observe for Layered {
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page> {
        let call = self.read(Api::Observe, "list").of_kind(kind);
        self.forward(call, || self.inner.observe().list(kind, filter, page))
            .await
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let call = self
            .read(Api::Observe, "get")
            .of_kind(kind)
            .batch(ids.len());
        self.forward(call, || self.inner.observe().get(kind, ids))
            .await
    }
}

#[async_trait]
impl Offers for Layered {
    async fn zones(&self) -> Result<Vec<Name>> {
        let call = self.read(Api::Offers, "zones");
        self.forward(call, || self.inner.offers().zones()).await
    }

    async fn list_offers(&self) -> Result<Vec<Offer>> {
        let call = self.read(Api::Offers, "list_offers");
        self.forward(call, || self.inner.offers().list_offers())
            .await
    }

    async fn free(&self) -> Result<Option<Pool>> {
        let call = self.read(Api::Offers, "free");
        self.forward(call, || self.inner.offers().free()).await
    }

    async fn quotas(&self) -> Result<Vec<Quota>> {
        let call = self.read(Api::Offers, "quotas");
        self.forward(call, || self.inner.offers().quotas()).await
    }
}
