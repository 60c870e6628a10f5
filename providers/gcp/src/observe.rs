//! Reads: one pass a kind for all zones, and reads by id.

use async_trait::async_trait;
use futures::future::try_join_all;
use strat_model::{Addr, ErrorKind, Kind, Resource, ResourceId, Result};
use strat_provider::{Filter, Observe, Page, PageToken, Sought};

use crate::capabilities::IDS_PER_CALL;
use crate::error::refuse;
use crate::labels::{filter_addr, filter_owner};
use crate::names::{Zonal, google_name};
use crate::notes::Note;
use crate::provider::{GcpProvider, Seen};

/// The most things on one page of a list.
///
/// <https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList>
pub(crate) const PAGE_MAX: u32 = 500;

/// Which things of a kind are to be listed. Kinds without labels are listed whole, and looked through
/// here.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scan<'a> {
    /// Those that a filter lets through.
    List(&'a Filter),
    /// Those of these names, as Google has them.
    Names(&'a [String]),
    /// Those whose marks have these addresses.
    Addrs(&'a [Addr]),
}

impl Scan<'_> {
    /// The filter of a list of what has labels; `None` for all.
    pub(crate) fn by_label(&self) -> Option<String> {
        match self {
            Self::List(Filter::Owner(owner)) => Some(filter_owner(owner)),
            Self::List(Filter::All) => None,
            Self::Names(names) => Some(filter_names(*names)),
            Self::Addrs(addrs) => Some(any_of(addrs.iter().map(filter_addr))),
        }
    }

    /// The filter of a list of what has no labels: only names can be asked for.
    pub(crate) fn by_name(&self) -> Option<String> {
        match self {
            Self::Names(names) => Some(filter_names(*names)),
            Self::List(_) | Self::Addrs(_) => None,
        }
    }

    /// Whether a thing of this name and note is one that is looked for.
    pub(crate) fn fits_note(&self, name: &str, note: &Note) -> bool {
        let mark = || note.mark();
        match self {
            Self::List(Filter::All) => true,
            Self::List(Filter::Owner(owner)) => {
                mark().is_some_and(|mark| mark.owner.is_namesake(owner))
            }
            Self::Names(names) => names.iter().any(|one| one == name),
            Self::Addrs(addrs) => mark().is_some_and(|mark| addrs.contains(&mark.addr)),
        }
    }

    /// Whether a thing is one that is looked for. Filters by label may let others through.
    fn fits(&self, seen: &Seen) -> bool {
        let mark = seen.resource.mark.as_ref();
        match self {
            Self::List(Filter::Owner(owner)) => {
                mark.is_some_and(|mark| mark.owner.is_namesake(owner))
            }
            Self::List(Filter::All) | Self::Names(_) => true,
            Self::Addrs(addrs) => mark.is_some_and(|mark| addrs.contains(&mark.addr)),
        }
    }
}

/// A filter for things of these names.
pub(crate) fn filter_names<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    any_of(names.into_iter().map(|name| format!("(name = \"{name}\")")))
}

fn any_of(filters: impl Iterator<Item = String>) -> String {
    filters.collect::<Vec<_>>().join(" OR ")
}

/// What a list gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The things.
    pub(crate) items: Vec<Seen>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

impl GcpProvider {
    /// One page of a kind.
    async fn scan(&self, kind: Kind, scan: Scan<'_>, page: Option<&str>) -> Result<Found> {
        let mut found = match kind {
            Kind::Network => self.scan_networks(scan, page).await?,
            Kind::Subnet => self.scan_subnets(scan, page).await?,
            Kind::Firewall => self.scan_firewalls(scan).await?,
            Kind::Address => self.scan_addresses(scan, page).await?,
            Kind::Keypair => self.scan_keypairs(scan).await?,
            Kind::Machine => self.scan_machines(scan, page).await?,
            Kind::Volume => self.scan_volumes(scan, page).await?,
            Kind::Bucket => self.scan_buckets(scan, page).await?,
            // None are made here, and foreign ones are no business of a list of ours.
            Kind::Image => Found::default(),
        };
        // What is global is of the site that it was made for: a project may be several sites, one a
        // region.
        let here = |seen: &Seen| {
            let region = seen.region.as_ref();
            region.is_none_or(|region| *region == self.settings.region)
        };
        found.items.retain(|seen| here(seen) && scan.fits(seen));
        Ok(found)
    }

    /// All pages.
    async fn scan_all(&self, kind: Kind, scan: Scan<'_>) -> Result<Vec<Seen>> {
        let (mut items, mut page) = (Vec::new(), None);
        loop {
            let found = self.scan(kind, scan, page.as_deref()).await?;
            items.extend(found.items);
            let next = found.next.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(items);
            }
            page = next;
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

    /// Several, in as few calls as can be: those that a list shows, and a read of each that it does
    /// not show, since a list may lag and a read does not.
    async fn several(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let names: Vec<String> = ids.iter().map(|id| name_of(kind, id)).collect();
        let listed = self.scan_all(kind, Scan::Names(&names)).await?;
        let mut found: Vec<Resource> = listed
            .into_iter()
            .map(|seen| seen.resource)
            .filter(|resource| ids.contains(&resource.id))
            .collect();
        let missing = ids
            .iter()
            .filter(|id| found.iter().all(|one| one.id != **id));
        let missing = try_join_all(missing.map(|id| self.one(kind, id))).await?;
        found.extend(missing.into_iter().flatten().map(|seen| seen.resource));
        Ok(found)
    }
}

/// The name in an id.
fn name_of(kind: Kind, id: &ResourceId) -> String {
    match (kind, Zonal::of_id(id)) {
        (Kind::Machine | Kind::Volume, Some(zonal)) => zonal.name,
        _ => id.to_string(),
    }
}

#[async_trait]
impl Observe for GcpProvider {
    async fn list(&self, kind: Kind, filter: &Filter, page: Option<&PageToken>) -> Result<Page> {
        let page = page.map(|page| page.0.as_str());
        let found = self.scan(kind, Scan::List(filter), page).await?;
        Ok(Page {
            items: found.items.into_iter().map(|seen| seen.resource).collect(),
            next: found.next.filter(|next| !next.is_empty()).map(PageToken),
        })
    }

    async fn get(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if ids.len() > IDS_PER_CALL as usize {
            let message = format!("a call takes at most {IDS_PER_CALL} ids, not {}", ids.len());
            return Err(refuse(ErrorKind::Invalid, message));
        }
        match ids {
            [] => Ok(Vec::new()),
            [id] => Ok(self
                .one(kind, id)
                .await?
                .map(|seen| seen.resource)
                .into_iter()
                .collect()),
            // Those of a bucket are no list's, and keys are read in one call anyway.
            ids if matches!(kind, Kind::Bucket) => {
                let all = try_join_all(ids.iter().map(|id| self.one(kind, id))).await?;
                Ok(all
                    .into_iter()
                    .flatten()
                    .map(|seen| seen.resource)
                    .collect())
            }
            ids => self.several(kind, ids).await,
        }
    }

    /// By name, in all zones; and by the label of the address. What has no labels is looked through.
    async fn find(&self, kind: Kind, sought: Sought<'_>) -> Result<Vec<Resource>> {
        let mut items = Vec::new();
        if !sought.names.is_empty() {
            let names: Vec<String> = sought.names.iter().map(|name| google_name(name)).collect();
            items.extend(self.scan_all(kind, Scan::Names(&names)).await?);
        }
        if !sought.addrs.is_empty() {
            items.extend(self.scan_all(kind, Scan::Addrs(sought.addrs)).await?);
        }
        let mut items: Vec<Resource> = items.into_iter().map(|seen| seen.resource).collect();
        items.retain(|item| sought.fits(item));
        items.sort_by(|a, b| a.id.cmp(&b.id));
        items.dedup_by(|a, b| a.id == b.id);
        Ok(items)
    }
}
