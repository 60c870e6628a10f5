//! Observation.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result};

use super::{Api, Layered};
use crate::{Filter, Observe, Page, PageToken, Sought};

#[deny(clippy::missing_trait_methods)]
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

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        let call = self
            .read(Api::Observe, "find")
            .of_kind(kind)
            .batch(sought.len());
        self.forward(call, || self.inner.observe().find(kind, sought))
            .await
    }
}
