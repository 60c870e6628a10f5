//! Reads: one pass a kind, and reads by id.

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter as Ec2Filter;
use strat_model::{ErrorKind, Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken};

use crate::capabilities::DELETE_BATCH;
use crate::error::refuse;
use crate::provider::{AwsProvider, filter};
use crate::tags::OWNER;

/// The most things on one page of a describing call.
pub(crate) const PAGE_MAX: i32 = 1000;

/// Which things of a kind are to be described: those of an owner, those of some ids, or all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scan<'a> {
    /// A page of a list.
    List {
        /// What is to be in it.
        filter: &'a Filter,
        /// Where it begins.
        page: Option<&'a PageToken>,
    },
    /// Those of these ids.
    Ids(&'a [ResourceId]),
}

impl Scan<'_> {
    /// The filters of a describing call; `id` is the kind's name for its id.
    pub(crate) fn filters(&self, id: &str) -> Vec<Ec2Filter> {
        match self {
            Self::List {
                filter: Filter::Owner(owner),
                ..
            } => vec![filter(format!("tag:{OWNER}"), [owner.to_string()])],
            Self::List { .. } => Vec::new(),
            Self::Ids(ids) => vec![filter(id, ids.iter().map(ResourceId::as_str))],
        }
    }

    /// Where the page begins.
    pub(crate) fn token(&self) -> Option<String> {
        match self {
            Self::List { page, .. } => page.map(|page| page.0.clone()),
            Self::Ids(_) => None,
        }
    }
}

/// What a describing call gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The things.
    pub(crate) items: Vec<Resource>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

impl AwsProvider {
    async fn scan(&self, kind: Kind, scan: Scan<'_>) -> Result<Found> {
        match kind {
            Kind::Network => self.scan_networks(scan).await,
            Kind::Subnet => self.scan_subnets(scan).await,
            Kind::Firewall => self.scan_firewalls(scan).await,
            Kind::Address => self.scan_addresses(scan).await,
            Kind::Keypair => self.scan_keypairs(scan).await,
            Kind::Machine => self.scan_machines(scan).await,
            Kind::Volume => self.scan_volumes(scan).await,
            Kind::Bucket => self.scan_buckets(scan).await,
            // None are made here, and foreign ones are no business of a list of ours.
            Kind::Image => Ok(Found::default()),
        }
    }
}

#[async_trait]
impl Observe for AwsProvider {
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page> {
        let found = self.scan(kind, Scan::List { filter, page }).await?;
        Ok(Page {
            items: found.items,
            next: found.next.filter(|next| !next.is_empty()).map(PageToken),
        })
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if ids.len() > DELETE_BATCH as usize {
            let message = format!("a call takes at most {DELETE_BATCH} ids, not {}", ids.len());
            return Err(refuse(ErrorKind::Invalid, message));
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut items = self.scan(kind, Scan::Ids(ids)).await?.items;
        // Machines tell a gone one from one that is not seen yet, and have done so.
        if kind != Kind::Machine {
            self.recent.complete(kind, ids, &mut items);
        }
        Ok(items)
    }
}
