//! What is known of a site without asking it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use strat_catalogue::{Cloud, Listing, Snapshot};
use strat_model::{CapacityKind, Changes, Name, Offer, ResourceId, SiteFacts, SiteSpec};
use strat_provider::{ConnectContext, SkippingClock};

use super::{FactsSource, KnownOffers, OfferCache, OfflineFacts};
use crate::{Error, Workspace, measure, sites};

/// Stands for an image that was not looked up.
const SOME_IMAGE: &str = "not looked up";

/// What is known of every site, the best source first.
pub(super) async fn gather(
    workspace: &Workspace,
    cache: &OfferCache,
) -> Result<BTreeMap<Name, OfflineFacts>, Error> {
    // A place of its own, so that nothing is left behind beside the topology.
    let place = tempfile::tempdir().map_err(Error::file(std::env::temp_dir(), "written"))?;
    let context = ConnectContext {
        base_dir: place.path().to_owned(),
        clock: Arc::new(SkippingClock::system()),
    };
    let mut told = sites::offline_facts(workspace, &context).await;
    let mut known = BTreeMap::new();
    for site in workspace.intent().sites.values() {
        let told = told.remove(&site.name).map(|facts| OfflineFacts {
            facts,
            source: FactsSource::Provider,
            as_of: None,
        });
        let facts = match cache.read(site)? {
            Some(remembered) => Some(remembered),
            None => told.or_else(|| of_snapshot(workspace, site)),
        };
        let facts = facts.map(|mut known| {
            measured(workspace, site, &mut known.facts.offers);
            known
        });
        known.extend(facts.map(|facts| (site.name.clone(), facts)));
    }
    Ok(known)
}

/// What the snapshot has of a site's cloud and region, with what its provider can do anywhere.
pub(crate) fn of_snapshot(workspace: &Workspace, site: &SiteSpec) -> Option<OfflineFacts> {
    let cloud: Cloud = site.provider.parse().ok()?;
    let region = site.region.as_deref()?;
    let capabilities = workspace
        .registry()
        .get(&site.provider)?
        .capabilities(site)?;
    let offers = listed(workspace, site, cloud, region);
    let mut zones: Vec<Name> = match &site.zones[..] {
        [] => offers.iter().map(|offer| offer.zone.clone()).collect(),
        named => named.to_vec(),
    };
    zones.sort();
    zones.dedup();
    if zones.is_empty() {
        return None;
    }
    Some(OfflineFacts {
        facts: SiteFacts {
            capabilities,
            changes: Changes::default(),
            zones,
            offers,
            free: None,
            quotas: Vec::new(),
            images: images(workspace),
        },
        source: FactsSource::Snapshot,
        as_of: day(Snapshot::of(cloud)),
    })
}

/// What each site sells, as far as that can be told without a network: by its provider, or by the catalogue
/// that is built in. The catalogue knows it of clouds whose provider is not built in, too.
pub(crate) async fn offers(
    workspace: &Workspace,
    context: &ConnectContext,
) -> BTreeMap<Name, KnownOffers> {
    let mut told = sites::offline_facts(workspace, context).await;
    let mut known = BTreeMap::new();
    for site in workspace.intent().sites.values() {
        let by_provider = told.remove(&site.name).map(|mut facts| {
            measured(workspace, site, &mut facts.offers);
            KnownOffers {
                offers: facts.offers,
                as_of: None,
            }
        });
        let in_catalogue = || {
            let cloud: Cloud = site.provider.parse().ok()?;
            let offers = listed(workspace, site, cloud, site.region.as_deref()?);
            Some(KnownOffers {
                offers,
                as_of: Some(Snapshot::of(cloud).as_of()),
            })
        };
        let offers = by_provider.or_else(in_catalogue);
        known.extend(offers.map(|offers| (site.name.clone(), offers)));
    }
    known
}

/// What the snapshot lists for a site.
fn listed(workspace: &Workspace, site: &SiteSpec, cloud: Cloud, region: &str) -> Vec<Offer> {
    let spot = site
        .settings
        .get("spot")
        .and_then(serde_json::Value::as_bool)
        == Some(true);
    let wanted = |offer: &Offer| {
        let in_zone = site.zones.is_empty() || site.zones.contains(&offer.zone);
        let bought_so = offer.capacity != CapacityKind::Spot || spot;
        in_zone && bought_so && !offer.machine_type.contains(".metal")
    };
    let listings = Snapshot::of(cloud).listings(Some(region));
    let offers = listings.iter().flat_map(Listing::offers);
    let mut offers: Vec<Offer> = offers.filter(wanted).collect();
    let key = |offer: &Offer| {
        (
            offer.zone.clone(),
            offer.machine_type.clone(),
            offer.capacity,
        )
    };
    offers.sort_by_cached_key(key);
    measured(workspace, site, &mut offers);
    offers
}

/// With what is made to measure there for the topology.
fn measured(workspace: &Workspace, site: &SiteSpec, offers: &mut Vec<Offer>) {
    measure::add(workspace.intent(), site, offers, std::iter::empty());
}

/// The first moment of a snapshot's day.
fn day(snapshot: Snapshot) -> Option<Timestamp> {
    let start = snapshot.as_of().to_zoned(TimeZone::UTC).ok()?;
    Some(start.timestamp())
}

/// Every image that the topology names, as if it were there.
fn images(workspace: &Workspace) -> strat_model::PublicImages {
    let names = workspace.image_names().into_iter();
    names
        .map(|name| (name.to_owned(), ResourceId::from(SOME_IMAGE)))
        .collect()
}

/// The facts of a site as they would be if nobody used anything of it.
pub(super) fn as_if_empty(workspace: &Workspace, site: &Name, facts: &SiteFacts) -> SiteFacts {
    let mut facts = facts.clone();
    let spec = workspace.intent().sites.get(site);
    if let Some(capacity) = spec.and_then(|spec| spec.capacity.as_ref()) {
        facts.free = Some(capacity.pool());
    }
    facts.quotas.iter_mut().for_each(|quota| quota.cpu_used = 0);
    facts
}
