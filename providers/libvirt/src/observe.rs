//! Reads.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::error::told;
use crate::provider::LibvirtProvider;
use crate::site::{Site, pick};

#[async_trait]
impl Observe for LibvirtProvider {
    async fn list(&self, kind: Kind, filter: &Filter, _: Option<&PageToken>) -> Result<Page> {
        let filter = filter.clone();
        let mut items = match self.buckets().filter(|_| kind == Kind::Bucket) {
            Some(buckets) => told("list", buckets.list().await)?,
            None => self.run("list", move |site| site.list(kind)).await?,
        };
        if let Filter::Owner(owner) = filter {
            items.retain(|resource| {
                resource
                    .mark
                    .as_ref()
                    .is_some_and(|mark| mark.owner.is_namesake(&owner))
            });
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Page { items, next: None })
    }

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        if sought.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = match self.buckets().filter(|_| kind == Kind::Bucket) {
            Some(buckets) => told("find", buckets.list().await)?,
            None => self.run("find", move |site| site.list(kind)).await?,
        };
        items.retain(|item| sought.fits(item));
        Ok(items)
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(buckets) = self.buckets().filter(|_| kind == Kind::Bucket) {
            return told("get", buckets.get(ids).await);
        }
        let ids = ids.to_vec();
        self.run("get", move |site| match kind {
            Kind::Machine => site.get_machines(&ids),
            kind => Ok(pick(site.list(kind)?, &ids)),
        })
        .await
    }
}

impl Site {
    fn list(&self, kind: Kind) -> Result<Vec<Resource>> {
        match kind {
            Kind::Network => self.list_networks(),
            Kind::Subnet => self.list_subnets(),
            Kind::Firewall => self.list_firewalls(),
            Kind::Keypair => self.list_keypairs(),
            Kind::Image => self.list_images(),
            Kind::Machine => self.list_machines(),
            Kind::Volume => self.list_volumes(),
            Kind::Address | Kind::Bucket => Ok(Vec::new()),
        }
    }
}
