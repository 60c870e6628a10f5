//! Planning without asking any cloud: with what was remembered of the sites, or what is built in.

mod cache;
mod facts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use serde_json::Value;
use strat_model::{Coverage, Inventory, Name, Offer, SiteFacts, SiteInventory};
use strat_planner::{Desired, DiffOptions, Plan, Target, diff, place};

pub use cache::OfferCache;
pub(crate) use facts::{of_snapshot, offers};

use crate::saved::{Document, Offline, OfflineSite};
use crate::{Error, ReachCheck, Verdict, Workspace, reach, targets};

/// Where facts about a site come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactsSource {
    /// The site itself, asked now.
    Live,
    /// The site itself, asked before and remembered.
    Cache,
    /// The catalogue that is built in.
    Snapshot,
    /// The site's provider, which needs no network to tell.
    Provider,
}

impl FactsSource {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Cache => "cache",
            Self::Snapshot => "snapshot",
            Self::Provider => "provider",
        }
    }
}

/// What a site sells, as far as that is known without asking it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownOffers {
    /// The offers, in each zone.
    pub offers: Vec<Offer>,
    /// The day that their prices are of; `None` for what does not age.
    pub as_of: Option<Date>,
}

/// What is known of a site without asking it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfflineFacts {
    /// The facts.
    pub facts: SiteFacts,
    /// Where they are from.
    pub source: FactsSource,
    /// When they were true; `None` for what does not age.
    pub as_of: Option<Timestamp>,
}

/// A plan for a world in which nothing is yet, made without asking any cloud. It says what would
/// be placed where and what that costs; it has no form that could be saved for an apply.
#[derive(Debug, Clone)]
pub struct OfflinePlan {
    /// The plan.
    pub plan: Plan,
    /// What it was made from, by site.
    pub facts: BTreeMap<Name, OfflineFacts>,
    targets: Vec<Target>,
    reaches: Vec<ReachCheck>,
    desired: Desired,
    /// What policies said of it, where they were asked.
    pub policy: Vec<Verdict>,
}

impl OfflinePlan {
    /// What is to be.
    pub(crate) const fn desired(&self) -> &Desired {
        &self.desired
    }

    /// The plan's JSON form, as it is serialised.
    ///
    /// # Panics
    /// Never: every plan has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Ok(json) = serde_json::to_value(self) else {
            unreachable!("a plan has a JSON form")
        };
        json
    }
}

/// As a [`SavedPlan`](crate::SavedPlan), with `offline` beside it: of each site where its facts are
/// from and when they were true. [`SavedPlan::from_json`](crate::SavedPlan::from_json) refuses it.
impl Serialize for OfflinePlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sites = self.facts.iter().map(|(site, facts)| {
            let (source, as_of) = (facts.source.as_str(), facts.as_of);
            (site.clone(), OfflineSite { source, as_of })
        });
        let sites = sites.collect();
        let document = Document {
            plan: &self.plan,
            targets: &self.targets,
            lease_stores: &[],
            outputs: &[],
            reaches: &self.reaches,
            policy: &self.policy,
            without: &BTreeSet::new(),
            offline: Some(Offline { sites }),
        };
        document.serialize(serializer)
    }
}

impl Workspace {
    /// What is known of every site without asking any: from the cache, else from the site's
    /// provider if that needs no network, else from the built-in snapshot.
    ///
    /// # Errors
    /// If the cache cannot be read. A site of which nothing is known is not in the answer.
    pub async fn offline_facts(
        &self,
        cache: &OfferCache,
    ) -> Result<BTreeMap<Name, OfflineFacts>, Error> {
        facts::gather(self, cache).await
    }

    /// Plans as if nothing were there yet, without asking any cloud. Quotas and owned hardware
    /// count as free; where images are not remembered, each that is named counts as there.
    ///
    /// # Errors
    /// If nothing is known of a site, something of the topology finds no place, or the cache cannot
    /// be read.
    pub async fn plan_offline(
        &self,
        cache: &OfferCache,
        targets: &[Target],
    ) -> Result<OfflinePlan, Error> {
        let known = self.offline_facts(cache).await?;
        let sites = &self.intent().sites;
        if let Some(site) = sites.values().find(|site| !known.contains_key(&site.name)) {
            return Err(Error::NothingKnown {
                site: site.name.clone(),
                provider: site.provider.clone(),
            });
        }
        let facts: BTreeMap<Name, SiteFacts> = known
            .iter()
            .map(|(site, known)| (site.clone(), facts::as_if_empty(self, site, &known.facts)))
            .collect();
        let inventory = nothing_anywhere(sites.keys());
        let desired =
            place(self.intent(), &facts, &inventory).map_err(|unplaced| self.no_place(unplaced))?;
        targets::check(targets, &desired, &inventory)?;
        let checked = reach::check(self.intent(), &desired, &facts);
        if !checked.broken.is_empty() {
            return Err(self.broken(checked.broken));
        }
        let options = DiffOptions {
            targets: targets.to_vec(),
            ..DiffOptions::default()
        };
        let mut plan = diff(&desired, &inventory, &facts, None, &options);
        plan.source = Some(self.source());
        Ok(OfflinePlan {
            plan,
            facts: known,
            reaches: checked.checks,
            targets: targets.to_vec(),
            desired,
            policy: Vec::new(),
        })
    }

    /// The neutral names of the images that the topology asks for.
    fn image_names(&self) -> BTreeSet<&str> {
        let machines = self.intent().machines.iter();
        let names = machines.filter_map(|machine| machine.image.as_deref().ok());
        names.collect()
    }
}

/// The world before anything is made.
fn nothing_anywhere<'a>(sites: impl Iterator<Item = &'a Name>) -> Inventory {
    let nothing = SiteInventory::nothing(Timestamp::UNIX_EPOCH, &Coverage::Complete);
    Inventory {
        sites: sites.map(|site| (site.clone(), nothing.clone())).collect(),
        ..Inventory::default()
    }
}
