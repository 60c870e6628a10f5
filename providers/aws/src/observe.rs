//! Reads: one pass a kind, and reads by id.

use async_trait::async_trait;
use aws_sdk_ec2::types::Filter as Ec2Filter;
use strat_model::{ErrorKind, Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::capabilities::IDS_PER_CALL;
use crate::compute::common_names;
use crate::error::refuse;
use crate::provider::{AwsProvider, filter};
use crate::tags::OWNER;

/// The most things on one page of a describing call.
pub(crate) const PAGE_MAX: i32 = 1000;

/// The filter by the tag that the consoles show.
const BY_NAME: &str = "tag:Name";
/// The filter by the tag that says which thing of a topology it is.
pub(crate) const BY_ADDR: &str = "tag:stratiform:addr";

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
    /// A page of those where a filter has one of these values.
    Having {
        /// The filter, such as `tag:Name`.
        key: &'a str,
        /// The values.
        values: &'a [String],
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
            } => vec![filter(format!("tag:{OWNER}"), [owner.named().to_string()])],
            Self::List { .. } => Vec::new(),
            Self::Having { key, values, .. } => vec![filter(*key, values.iter())],
            Self::Ids(ids) => vec![filter(id, ids.iter().map(ResourceId::as_str))],
        }
    }

    /// Where the page begins.
    pub(crate) fn token(&self) -> Option<String> {
        match self {
            Self::List { page, .. } | Self::Having { page, .. } => page.map(|page| page.0.clone()),
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

impl AwsProvider {
    /// Everything where a filter has one of these values, page after page, that `sought` fits.
    async fn having(
        &self,
        kind: Kind,
        key: &str,
        values: &[String],
        sought: Sought<'_>,
    ) -> Result<Vec<Resource>> {
        let mut items = Vec::new();
        for values in values.chunks(IDS_PER_CALL as usize) {
            let mut page = None;
            loop {
                let scan = Scan::Having {
                    key,
                    values,
                    page: page.as_ref(),
                };
                let found = self.scan(kind, scan).await?;
                items.extend(found.items.into_iter().filter(|item| sought.fits(item)));
                let next = found.next.filter(|next| !next.is_empty()).map(PageToken);
                if next.is_none() || next == page {
                    break;
                }
                page = next;
            }
        }
        Ok(items)
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

    /// By the tag of the address, and by the tag `Name`; key pairs and security groups by their own
    /// names too, buckets by that alone. All machines of a batch have one `Name`, which begins the
    /// name of each.
    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        let names = sought.names;
        let mut items = Vec::new();
        if !names.is_empty() {
            let own = match kind {
                Kind::Keypair => Some("key-name"),
                Kind::Firewall => Some("group-name"),
                _ => None,
            };
            if let Some(key) = own {
                items.extend(self.having(kind, key, names, sought).await?);
            }
            if kind == Kind::Bucket {
                let ids: Vec<_> = names.iter().map(ResourceId::from).collect();
                items.extend(self.get(kind, &ids).await?);
            } else {
                let names = match kind {
                    Kind::Machine => common_names(names),
                    _ => names.to_vec(),
                };
                items.extend(self.having(kind, BY_NAME, &names, sought).await?);
            }
        }
        if !sought.addrs.is_empty() {
            let addrs: Vec<_> = sought.addrs.iter().map(ToString::to_string).collect();
            items.extend(self.having(kind, BY_ADDR, &addrs, sought).await?);
        }
        items.sort_by(|a, b| a.id.cmp(&b.id));
        items.dedup_by(|a, b| a.id == b.id);
        Ok(items)
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if ids.len() > IDS_PER_CALL as usize {
            let message = format!("a call takes at most {IDS_PER_CALL} ids, not {}", ids.len());
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
