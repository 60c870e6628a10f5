//! Reads.

use async_trait::async_trait;
use strat_model::{Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::error::told;
use crate::provider::LibvirtProvider;
use crate::site::Site;

#[async_trait]
impl Observe for LibvirtProvider {
    /// The first page is what the hosts that answer have, and what they know of the others. The second is
    /// what is on those of which they do not know enough: it fails as long as these do not answer.
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page> {
        let owner = match filter {
            Filter::Owner(owner) => Some(owner.clone()),
            Filter::All => None,
        };
        let buckets = self.buckets().filter(|_| kind == Kind::Bucket);
        let (mut items, unseen) = match (buckets, page) {
            (Some(buckets), _) => (told("list", buckets.list().await)?, Vec::new()),
            (None, None) => {
                let owner = owner.clone();
                self.run("list", move |site| site.list_seen(kind, owner.as_ref()))
                    .await?
            }
            (None, Some(PageToken(hosts))) => {
                let hosts = hosts.clone();
                let rest = move |site: &Site| site.list_rest(kind, hosts.split(','));
                (self.run("list", rest).await?, Vec::new())
            }
        };
        if let Some(owner) = owner {
            items.retain(|resource| {
                resource
                    .mark
                    .as_ref()
                    .is_some_and(|mark| mark.owner.is_namesake(&owner))
            });
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        let next = (!unseen.is_empty()).then(|| PageToken(unseen.join(",")));
        Ok(Page { items, next })
    }

    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        if sought.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = match self.buckets().filter(|_| kind == Kind::Bucket) {
            Some(buckets) => told("find", buckets.list().await)?,
            None => self.run("find", move |site| site.list_noted(kind)).await?,
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
        self.run("get", move |site| site.read(kind, &ids)).await
    }
}

impl Site {
    pub(crate) fn list(&self, kind: Kind) -> Result<Vec<Resource>> {
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
