//! Reads: one pass a kind over the subscription, and reads by id.

use async_trait::async_trait;
use futures::stream::{self, StreamExt as _};
use strat_model::{ErrorKind, Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::capabilities::IDS_PER_CALL;
use crate::error::refuse;
use crate::provider::{AzureProvider, Seen};

/// How many reads of single things are under way at once.
const AT_ONCE: usize = 10;

/// Calls, some at once; what came of each, in their order.
pub(crate) async fn some_at_once<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    stream::iter(calls).buffered(AT_ONCE).collect().await
}

impl AzureProvider {
    /// Everything of a kind in this region: Azure's lists cannot be asked for tags, so all of the
    /// subscription's are looked through.
    async fn scan(&self, kind: Kind) -> Result<Vec<Seen>> {
        match kind {
            Kind::Network => self.scan_networks().await,
            Kind::Subnet => self.scan_subnets().await,
            Kind::Firewall => self.scan_firewalls().await,
            Kind::Address => self.scan_addresses().await,
            Kind::Keypair => self.scan_keypairs().await,
            Kind::Machine => self.scan_machines().await,
            Kind::Volume => self.scan_volumes().await,
            Kind::Bucket => self.scan_buckets().await,
            // None are made here, and foreign ones are no business of a list of ours.
            Kind::Image => Ok(Vec::new()),
        }
    }

    /// One thing, fresh, by its id.
    pub(crate) async fn one(&self, kind: Kind, id: &ResourceId) -> Result<Option<Seen>> {
        match kind {
            Kind::Network => self.get_network(id).await,
            Kind::Subnet => self.get_subnet(id).await,
            Kind::Firewall => self.get_firewall(id).await,
            Kind::Address => self.get_address(id).await,
            Kind::Keypair => self.get_keypair(id).await,
            Kind::Machine => self.get_machine(id).await,
            Kind::Volume => self.get_volume(id).await,
            Kind::Bucket => self.get_bucket(id).await,
            Kind::Image => Ok(None),
        }
    }
}

#[async_trait]
impl Observe for AzureProvider {
    async fn list(&self, kind: Kind, filter: &Filter, _: Option<&PageToken>) -> Result<Page> {
        let mut items: Vec<Resource> = self.all(kind).await?;
        if let Filter::Owner(owner) = filter {
            let ours = |item: &Resource| {
                let mark = item.mark.as_ref();
                mark.is_some_and(|mark| mark.owner.is_namesake(owner))
            };
            items.retain(ours);
        }
        if kind == Kind::Bucket {
            self.look_into(&mut items).await?;
        }
        Ok(Page { items, next: None })
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if ids.len() > IDS_PER_CALL as usize {
            let message = format!("a call takes at most {IDS_PER_CALL} ids, not {}", ids.len());
            return Err(refuse(ErrorKind::Invalid, message));
        }
        if kind == Kind::Machine && ids.len() > 1 {
            return self.get_machines(ids).await;
        }
        let reads = ids.iter().map(|id| self.one(kind, id)).collect();
        let mut found = Vec::with_capacity(ids.len());
        for seen in some_at_once(reads).await {
            found.extend(seen?.map(|seen| seen.resource));
        }
        Ok(found)
    }

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        if sought.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = self.all(kind).await?;
        items.retain(|item| sought.fits(item));
        if kind == Kind::Bucket {
            self.look_into(&mut items).await?;
        }
        Ok(items)
    }
}

impl AzureProvider {
    async fn all(&self, kind: Kind) -> Result<Vec<Resource>> {
        let seen = self.scan(kind).await?;
        let mut items: Vec<Resource> = seen.into_iter().map(|seen| seen.resource).collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(items)
    }
}
