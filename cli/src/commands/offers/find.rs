//! Where offers are found: at the sites, in the cache, in the snapshot.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use stratiform::catalogue::{Cloud, Snapshot, UnknownCloud, Wanted};
use stratiform::model::{Bytes, Name, Offer, SiteSpec};
use stratiform::provider::ProviderExt as _;
use stratiform::{FactsSource, Workspace};

use crate::commands::cache;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::style::{UPDATE, paint};

/// An offer, and where it is found.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The site; none where the catalogue was searched without a topology.
    pub(super) site: Option<Name>,
    /// The provider's name.
    pub(super) cloud: String,
    /// The region, where there are regions.
    pub(super) region: Option<String>,
    /// The zones that have it. Of a site's offer, its one zone.
    pub(super) zones: Vec<Name>,
    /// The offer.
    pub(super) offer: Offer,
    /// Where it is from: an index into [`Found::sources`].
    pub(super) source: usize,
}

impl Row {
    /// Whether it is in no list, and its price is worked out.
    pub(super) fn is_made_to_measure(&self) -> bool {
        let cloud = self.cloud.parse::<Cloud>();
        cloud.is_ok_and(|cloud| cloud.is_made_to_measure(&self.offer.machine_type))
    }

    /// What tells two offers of one price and size apart, for a steady order.
    pub(super) fn key(&self) -> impl Ord {
        (
            self.cloud.clone(),
            self.site.clone(),
            self.region.clone(),
            self.offer.machine_type.clone(),
            self.offer.zone.clone(),
            self.offer.capacity,
        )
    }
}

/// Where a part of what was found is from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The site, or the cloud.
    pub(super) of: String,
    /// What kind of source.
    pub(super) kind: FactsSource,
    /// When it was true: a moment, or a day; none for what does not age.
    pub(super) as_of: Option<String>,
    /// How old that is, in words.
    pub(super) age: Option<String>,
    /// Where the source has it from.
    pub(super) detail: Option<&'static str>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The offers.
    pub(super) rows: Vec<Row>,
    /// Where they are from.
    pub(super) sources: Vec<Source>,
    /// Whether every site that was to be asked answered.
    pub(super) is_whole: bool,
}

impl Found {
    const fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            sources: Vec::new(),
            is_whole: true,
        }
    }

    /// Adds what is made to measure for a size, beside what is sold at each place.
    pub(super) fn measure(&mut self, cpu: u32, memory: Bytes) {
        let wanted = BTreeSet::from([Wanted::AtLeast { cpu, memory }]);
        let mut places: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            let place = (row.source, &row.cloud, &row.site, &row.region);
            places.entry(place).or_default().push(row);
        }
        let mut made = Vec::new();
        for ((_, cloud, ..), rows) in places {
            let Ok(cloud) = cloud.parse::<Cloud>() else {
                continue;
            };
            let sold: Vec<Offer> = rows.iter().map(|row| row.offer.clone()).collect();
            for offer in cloud.made_to_measure(&sold, &wanted) {
                let beside = rows.iter().find(|row| row.offer.zone == offer.zone);
                made.extend(beside.map(|row| Row {
                    offer,
                    ..Row::clone(row)
                }));
            }
        }
        self.rows.extend(made);
    }

    fn add(&mut self, site: &SiteSpec, source: Source, offers: Vec<Offer>) {
        let index = self.sources.len();
        self.sources.push(source);
        self.rows.extend(offers.into_iter().map(|offer| Row {
            site: Some(site.name.clone()),
            cloud: site.provider.clone(),
            region: site.region.clone(),
            zones: vec![offer.zone.clone()],
            offer,
            source: index,
        }));
    }
}

/// Asks the sites.
pub(super) async fn live(
    workspace: Workspace,
    only: Option<&Name>,
    context: &Context,
) -> Result<Found, Failure> {
    let (session, _events) = context.connect(workspace).await?;
    context.tell_problems(session.unreachable());
    let asked = session.sites().iter();
    let asked = asked.filter(|(site, _)| only.is_none_or(|only| only == *site));
    let asked = asked.map(|(site, provider)| async move { (site, provider.list_offers().await) });
    let mut found = Found::nothing();
    found.is_whole = session.unreachable().is_empty();
    for (site, offers) in join_all(asked).await {
        let Some(spec) = session.workspace().intent().sites.get(site) else {
            continue;
        };
        match offers {
            Ok(offers) => {
                let source = Source {
                    of: site.to_string(),
                    kind: FactsSource::Live,
                    as_of: Some(cache::moment(session.clock().now())),
                    age: None,
                    detail: None,
                };
                found.add(spec, source, offers);
            }
            Err(error) => {
                found.is_whole = false;
                warn(context, site, &error.view().to_string());
            }
        }
    }
    Ok(found)
}

/// Uses what is known of the sites without asking them.
pub(super) async fn offline(
    workspace: &Workspace,
    only: Option<&Name>,
    context: &Context,
) -> Result<Found, Failure> {
    let known = workspace.offline_facts(&cache::offers()?).await;
    let mut known = known.map_err(|error| context.failure(&error))?;
    let mut found = Found::nothing();
    let sites = workspace.intent().sites.values();
    for site in sites.filter(|site| only.is_none_or(|only| *only == site.name)) {
        let Some(facts) = known.remove(&site.name) else {
            found.is_whole = false;
            let message = "nothing is known of it; `strat offers refresh` asks and remembers";
            warn(context, &site.name, message);
            continue;
        };
        let source = Source {
            of: site.name.to_string(),
            kind: facts.source,
            as_of: cache::as_of(&facts),
            age: facts.as_of.map(cache::age),
            detail: None,
        };
        found.add(site, source, facts.facts.offers);
    }
    Ok(found)
}

/// The cloud that a word may stand for.
fn meant(word: &str) -> Option<Cloud> {
    let word = word.to_lowercase();
    let other = match word.as_str() {
        "amazon" | "ec2" => Some(Cloud::Aws),
        "azurerm" | "microsoft" => Some(Cloud::Azure),
        "google" | "gce" => Some(Cloud::Gcp),
        _ => None,
    };
    let slips = |cloud: Cloud| {
        (
            strsim::damerau_levenshtein(cloud.as_str(), &word),
            cloud.as_str(),
        )
    };
    let near = || {
        let slips = Cloud::ALL.map(|cloud| (slips(cloud), cloud));
        let least = slips.into_iter().min_by_key(|(slips, _)| *slips)?;
        (least.0.0 <= 2 && least.0.0 * 2 <= word.len()).then_some(least.1)
    };
    other.or_else(near)
}

/// Searches the snapshot, of one cloud or all.
pub(super) fn snapshot(cloud: Option<&str>, region: Option<&str>) -> Result<Found, Failure> {
    let told = |error: UnknownCloud| {
        let failure = Failure::new(error.to_string());
        match cloud.and_then(meant) {
            Some(cloud) => failure.help(format!("did you mean `{cloud}`?")),
            None => failure,
        }
    };
    let clouds = match cloud {
        Some(cloud) => vec![cloud.to_lowercase().parse::<Cloud>().map_err(told)?],
        None => Cloud::ALL.to_vec(),
    };
    let mut found = Found::nothing();
    for cloud in clouds {
        let snapshot = Snapshot::of(cloud);
        let rows = snapshot.listings(region).into_iter().map(|listing| Row {
            site: None,
            cloud: cloud.to_string(),
            region: Some(listing.region.to_owned()),
            zones: listing.zones,
            offer: listing.offer,
            source: found.sources.len(),
        });
        found.rows.extend(rows);
        found.sources.push(Source {
            of: cloud.to_string(),
            kind: FactsSource::Snapshot,
            as_of: Some(snapshot.as_of().to_string()),
            age: cache::age_of_day(snapshot.as_of()),
            detail: Some(snapshot.source()),
        });
    }
    if let (true, Some(region)) = (found.rows.is_empty(), region) {
        let failure = Failure::new(format!("the snapshot has no region `{region}`"));
        let clouds = found
            .sources
            .iter()
            .filter_map(|source| source.of.parse::<Cloud>().ok());
        let known: Vec<_> = clouds
            .flat_map(|cloud| Snapshot::of(cloud).regions())
            .collect();
        return Err(failure.help(format!("it has: {}", known.join(", "))));
    }
    Ok(found)
}

fn warn(context: &Context, site: &Name, message: &str) {
    let head = paint(UPDATE.bold(), "warning:");
    context.output.note(&format!("{head} {site}: {message}\n"));
}

#[cfg(test)]
pub(super) mod tests {
    use stratiform::model::{Bytes, CapacityKind};

    use super::*;

    /// An offer on demand of the region `north`.
    pub(in crate::commands::offers) fn row(
        machine_type: &str,
        cpu: u32,
        gib: u64,
        price: Option<&str>,
    ) -> Row {
        let zone: Name = "a".parse().expect("a name");
        Row {
            site: None,
            cloud: "aws".to_owned(),
            region: Some("north".to_owned()),
            zones: vec![zone.clone()],
            offer: Offer {
                zone,
                machine_type: machine_type.to_owned(),
                family: "f".to_owned(),
                cpu,
                memory: Bytes::gib(gib),
                arch: "x86_64".to_owned(),
                gpus: 0,
                gpu: None,
                burstable: false,
                capacity: CapacityKind::OnDemand,
                price_hour: price.map(|price| price.parse().expect("money")),
            },
            source: 0,
        }
    }

    #[test]
    fn the_snapshot_is_searched_by_cloud_and_region() {
        let found = snapshot(Some("AWS"), Some("eu-central-1")).expect("found");
        let m5 = found
            .rows
            .iter()
            .find(|row| row.offer.machine_type == "m5.large");
        assert_eq!(m5.expect("on sale").region.as_deref(), Some("eu-central-1"));
        assert!(found.rows.iter().all(|row| row.cloud == "aws"));
        let all = snapshot(None, None).expect("found");
        assert_eq!(all.sources.len(), 3);
        let wrong = snapshot(Some("aws"), Some("moon")).expect_err("no such region");
        assert!(
            wrong
                .view
                .help
                .is_some_and(|help| help.contains("eu-central-1"))
        );
        assert!(snapshot(Some("aes"), None).is_err());
    }
}
