//! Reads of things.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::provider::SimProvider;

#[async_trait]
impl Observe for SimProvider {
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page> {
        self.read("list", |cloud, tx| cloud.list(tx, kind, filter, page))
            .await
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        self.read("get", |cloud, tx| cloud.get(tx, kind, ids)).await
    }

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        self.read("find", |cloud, tx| cloud.find(tx, kind, sought))
            .await
    }
}
