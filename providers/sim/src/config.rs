//! A simulated site: where it is and how it behaves.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use strat_model::{Capabilities, Changes, Name, Offer, SiteCapacity, SiteFacts};

use crate::changes::SimRules;
use crate::world::RegionKey;
use crate::{LeaseRule, Profile};

/// How a site behaves: how fast it is, how far behind its lists are, how often it fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// How long a call takes.
    pub latency_ms: u64,
    /// How long it takes until a new machine is ready; other slow things take a third of it.
    pub create_ms: u64,
    /// How long it takes until a deleted machine is gone; other slow things take a third of it.
    pub delete_ms: u64,
    /// How far lists and marks may lag behind writes.
    pub consistency_ms: u64,
    /// How many calls a second each operation takes; `None` is without bound.
    pub rate_per_second: Option<u32>,
    /// The share of changing calls whose answer is lost, from 0 to 1.
    pub lost_answers: f64,
    /// The share of calls that fail before they have an effect, from 0 to 1.
    pub faults: f64,
    /// How conditional writes of leases work; `None` is as the cloud's own.
    pub leases: Option<LeaseRule>,
    /// How far reads of leases may lag behind writes.
    pub lease_lag_ms: u64,
    /// How long a lease holds after it was renewed; `None` is as for any cloud.
    pub lease_term_ms: Option<u64>,
    /// The most things on one page of a list; `None` is the cloud's own number.
    pub page_size: Option<usize>,
    /// The most machines of a type that may run in each zone; what is not named is never out.
    pub stock: BTreeMap<String, u64>,
    /// The most virtual CPUs of a family, or of all (`total`), that may run.
    pub quotas: BTreeMap<String, u64>,
}

/// The most virtual CPUs of one family, unless a setting says otherwise.
const FAMILY_QUOTA: u64 = 600_000;
/// The most virtual CPUs of all families together, unless a setting says otherwise.
const TOTAL_QUOTA: u64 = 1_000_000;

impl Behaviour {
    /// As a cloud behaves on a good day, only faster: everything takes its time, nothing fails.
    #[must_use]
    pub fn realistic(profile: Profile) -> Self {
        let consistency_ms = match profile {
            Profile::Aws => 1000,
            Profile::Azure | Profile::Gcp => 500,
            Profile::Onprem => 0,
        };
        Self {
            latency_ms: 20,
            create_ms: 300,
            delete_ms: 200,
            consistency_ms,
            ..Self::instant()
        }
    }

    /// Everything at once and nothing fails: for tests of something else.
    #[must_use]
    pub const fn instant() -> Self {
        Self {
            latency_ms: 0,
            create_ms: 0,
            delete_ms: 0,
            consistency_ms: 0,
            rate_per_second: None,
            lost_answers: 0.0,
            faults: 0.0,
            leases: None,
            lease_lag_ms: 0,
            lease_term_ms: None,
            page_size: None,
            stock: BTreeMap::new(),
            quotas: BTreeMap::new(),
        }
    }

    /// The most virtual CPUs of a family, or of all.
    pub(crate) fn quota(&self, family: Option<&str>) -> u64 {
        let usual = if family.is_some() {
            FAMILY_QUOTA
        } else {
            TOTAL_QUOTA
        };
        let key = family.unwrap_or("total");
        self.quotas.get(key).copied().unwrap_or(usual)
    }
}

/// One simulated site.
#[derive(Debug, Clone)]
pub struct SimSite {
    /// Its name in the topology.
    pub name: Name,
    /// The cloud it behaves like.
    pub profile: Profile,
    /// The account. Sites with the same cloud, account and region see the same things.
    pub account: String,
    /// The region.
    pub region: String,
    /// The zones in use, sorted; never empty.
    pub zones: Vec<Name>,
    /// For owned hardware, how much there is.
    pub capacity: Option<SiteCapacity>,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// Where the paths of image files begin.
    pub base_dir: PathBuf,
    /// What it can do and sells, where that is not its profile's.
    pub(crate) facts: Option<Arc<SiteFacts>>,
}

impl SimSite {
    /// A site in all zones of a region, in the account `main`, that behaves realistically.
    #[must_use]
    pub fn new(name: Name, profile: Profile, region: &str) -> Self {
        Self {
            name,
            profile,
            account: "main".to_owned(),
            region: region.to_owned(),
            zones: profile.zones(region),
            capacity: None,
            behaviour: Behaviour::realistic(profile),
            base_dir: PathBuf::new(),
            facts: None,
        }
    }

    /// The same site with another behaviour.
    #[must_use]
    pub fn behaving(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// The same site with only these zones.
    #[must_use]
    pub fn in_zones(mut self, zones: impl IntoIterator<Item = Name>) -> Self {
        self.zones = zones.into_iter().collect();
        self.zones.sort();
        self.zones.dedup();
        self
    }

    /// The same site in another account.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    /// The same site with a bound on its hardware.
    #[must_use]
    pub fn with_capacity(mut self, capacity: SiteCapacity) -> Self {
        self.capacity = Some(capacity);
        self
    }

    pub(crate) fn with_facts(mut self, facts: Arc<SiteFacts>) -> Self {
        self.facts = Some(facts);
        self
    }

    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        match &self.facts {
            Some(facts) => facts.capabilities.clone(),
            None => self.profile.capabilities(self.behaviour.consistency_ms),
        }
    }

    /// What it takes to change things there.
    pub(crate) fn changes(&self, offers: &[Offer]) -> Changes {
        match &self.facts {
            Some(facts) => facts.changes.clone(),
            None => Changes::new(SimRules::new(self.profile, offers)),
        }
    }

    /// Which region of which account it is a view of.
    #[must_use]
    pub fn region_key(&self) -> RegionKey {
        RegionKey {
            profile: self.profile,
            account: self.account.clone(),
            region: self.region.clone(),
        }
    }
}
