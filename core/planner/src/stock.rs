//! What was out of stock or beyond a quota lately: a small book, so that nobody asks again at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{
    Addr, CapacityKind, Error, ErrorKind, MachineSpec, Name, Offer, Scope, SiteFacts,
};

/// How long an offer is left alone after the first refusal.
const PAUSE_MIN: Duration = Duration::from_secs(10 * 60);
/// How long at most, however often it was refused.
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);
/// How many entries a book has at most.
const ENTRIES_MAX: usize = 512;
/// How many machine types may be out of stock in a zone, or families beyond their quota at a site,
/// until all of it counts as such: a cloud that is out of what fits well is not asked for ever
/// larger machines.
pub(crate) const SIMILAR_MAX: usize = 3;

/// What is not tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum Shortage {
    /// One machine type in one zone, bought one way.
    Offer {
        /// The zone.
        zone: Name,
        /// The machine type.
        machine_type: String,
        /// How it is bought.
        capacity: CapacityKind,
    },
    /// What gets its address in a subnet; others of its zone, in other subnets, are not concerned.
    Subnet {
        /// The subnet.
        subnet: Addr,
    },
    /// Everything in a zone.
    Zone {
        /// The zone.
        zone: Name,
    },
    /// Everything at the site.
    Site,
    /// A family of machine types, bought one way: the account may not have more of it.
    Family {
        /// The family.
        family: String,
        /// How it is bought: quotas of spot and on-demand machines are apart.
        capacity: CapacityKind,
    },
}

/// One refusal that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockEntry {
    /// Where.
    pub site: Name,
    /// What is not tried.
    #[serde(flatten)]
    pub what: Shortage,
    /// The vendor's code, such as `InsufficientInstanceCapacity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it was refused last.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub seen: Timestamp,
    /// Until when it is not tried.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub until: Timestamp,
    /// How often it was refused in a row.
    pub times: u32,
}

impl StockEntry {
    /// The subnet that it is about.
    #[must_use]
    pub const fn subnet(&self) -> Option<&Addr> {
        match &self.what {
            Shortage::Subnet { subnet } => Some(subnet),
            Shortage::Offer { .. }
            | Shortage::Zone { .. }
            | Shortage::Site
            | Shortage::Family { .. } => None,
        }
    }

    /// Whether it is about an offer.
    #[must_use]
    pub fn covers(&self, site: &Name, offer: &Offer) -> bool {
        self.site == *site
            && match &self.what {
                Shortage::Offer {
                    zone,
                    machine_type,
                    capacity,
                } => {
                    *zone == offer.zone
                        && *machine_type == offer.machine_type
                        && *capacity == offer.capacity
                }
                Shortage::Subnet { .. } => false,
                Shortage::Zone { zone } => *zone == offer.zone,
                Shortage::Site => true,
                Shortage::Family { family, capacity } => {
                    *family == offer.family && *capacity == offer.capacity
                }
            }
    }
}

impl fmt::Display for StockEntry {
    /// What, where and why, in a sentence without its end: `east b: m5.xlarge was out of stock`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = &self.site;
        match &self.what {
            Shortage::Offer {
                zone,
                machine_type,
                capacity,
            } => {
                let how = how(*capacity);
                write!(f, "{site} {zone}: {machine_type}{how} was out of stock")?;
            }
            Shortage::Subnet { subnet } => write!(f, "{subnet} had no address left")?,
            Shortage::Zone { zone } => write!(f, "{site} {zone}: everything was out of stock")?,
            Shortage::Site => write!(f, "{site}: everything was out of stock")?,
            Shortage::Family { family, capacity } => {
                let how = how(*capacity);
                write!(
                    f,
                    "{site}: the account's quota of {family}{how} was used up"
                )?;
            }
        }
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

const fn how(capacity: CapacityKind) -> &'static str {
    match capacity {
        CapacityKind::OnDemand | CapacityKind::Owned => "",
        CapacityKind::Spot => " (spot)",
        CapacityKind::Reserved => " (reserved)",
    }
}

/// The refusals of the last hour or so.
///
/// It is a memory aid: without it, the next plan asks again and is refused again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockBook {
    /// By site and what, each once.
    entries: BTreeMap<(Name, Shortage), StockEntry>,
}

impl StockBook {
    /// A book of these.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = StockEntry>) -> Self {
        let mut book = Self::default();
        for entry in entries {
            book.put(entry);
        }
        book
    }

    /// What is in it, expired or not, sorted.
    pub fn entries(&self) -> impl Iterator<Item = &StockEntry> {
        self.entries.values()
    }

    /// What is not tried at this moment.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &StockEntry> {
        self.entries().filter(move |entry| entry.until > now)
    }

    /// Takes a refusal down, if it is one that says something about the next request: a lack of
    /// capacity as far as its scope reaches, a quota for the family. `facts` are the site's.
    ///
    /// Being throttled, or not being let in, says nothing about what there is. Gives what is not
    /// tried from now on.
    pub fn learn(
        &mut self,
        site: &Name,
        asked: &MachineOffer<'_>,
        facts: Option<&SiteFacts>,
        error: &Error,
        now: Timestamp,
    ) -> Option<Shortage> {
        let what = shortage(asked, facts, error)?;
        let key = (site.clone(), what.clone());
        // What was refused a while ago and is refused again is probably scarce.
        let again = self.entries.get(&key).filter(|entry| {
            let memory = entry.until.checked_add(PAUSE_MAX);
            memory.is_ok_and(|memory| memory > now)
        });
        let times = again.map_or(0, |entry| entry.times).saturating_add(1);
        self.put(StockEntry {
            site: site.clone(),
            what: what.clone(),
            code: error.code().map(str::to_owned),
            seen: now,
            until: now.checked_add(pause(times)).unwrap_or(Timestamp::MAX),
            times,
        });
        Some(what)
    }

    /// Strikes out what is disproved: this offer was sold.
    pub fn sold(&mut self, site: &Name, offer: &Offer) {
        self.entries.retain(|_, entry| !entry.covers(site, offer));
    }

    /// Strikes out what is disproved: something got an address in this subnet.
    pub fn got_address(&mut self, subnet: &Addr) {
        self.entries
            .retain(|_, entry| entry.subnet() != Some(subnet));
    }

    /// The subnets that take no more at this moment.
    #[must_use]
    pub fn full(&self, now: Timestamp) -> BTreeSet<Addr> {
        let subnets = self.live(now).filter_map(StockEntry::subnet);
        subnets.cloned().collect()
    }

    /// The facts without what is not tried at this moment.
    #[must_use]
    pub fn without(
        &self,
        facts: &BTreeMap<Name, SiteFacts>,
        now: Timestamp,
    ) -> BTreeMap<Name, SiteFacts> {
        let live: Vec<&StockEntry> = self.live(now).collect();
        let mut facts = facts.clone();
        if live.is_empty() {
            return facts;
        }
        for (site, facts) in &mut facts {
            facts.offers.retain(|offer| !is_short(&live, site, offer));
        }
        facts
    }

    fn put(&mut self, entry: StockEntry) {
        let key = (entry.site.clone(), entry.what.clone());
        self.entries.insert(key, entry);
        while self.entries.len() > ENTRIES_MAX {
            let first = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            let Some(first) = first.map(|(key, _)| key.clone()) else {
                return;
            };
            self.entries.remove(&first);
        }
    }
}

/// What machines are asked for as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineOffer<'a> {
    /// The machine type.
    pub machine_type: &'a str,
    /// The zone.
    pub zone: &'a Name,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The subnet where it gets its address, where that is known.
    pub subnet: Option<&'a Addr>,
}

impl<'a> MachineOffer<'a> {
    /// What a spec asks for.
    #[must_use]
    pub fn of<R: Ord>(spec: &'a MachineSpec<R>) -> Self {
        Self {
            machine_type: &spec.machine_type,
            zone: &spec.zone,
            capacity: spec.capacity,
            subnet: None,
        }
    }

    /// The offer of a site that it is.
    #[must_use]
    pub fn find<'f>(&self, facts: &'f SiteFacts) -> Option<&'f Offer> {
        facts.offers.iter().find(|offer| {
            offer.machine_type == self.machine_type
                && offer.zone == *self.zone
                && offer.capacity == self.capacity
        })
    }
}

/// What a refusal is about.
fn shortage(
    asked: &MachineOffer<'_>,
    facts: Option<&SiteFacts>,
    error: &Error,
) -> Option<Shortage> {
    let zone = || asked.zone.clone();
    match (error.kind(), error.scope()) {
        (ErrorKind::Capacity, Scope::Subnet) => Some(match asked.subnet {
            Some(subnet) => Shortage::Subnet {
                subnet: subnet.clone(),
            },
            None => Shortage::Zone { zone: zone() },
        }),
        (ErrorKind::Capacity, Scope::Call | Scope::Offer) => Some(Shortage::Offer {
            zone: zone(),
            machine_type: asked.machine_type.to_owned(),
            capacity: asked.capacity,
        }),
        (ErrorKind::Capacity, Scope::Zone) => Some(Shortage::Zone { zone: zone() }),
        (ErrorKind::Capacity, Scope::Region | Scope::Account | Scope::Cloud) => {
            Some(Shortage::Site)
        }
        // A limit of this one call, such as its number of firewalls.
        (ErrorKind::Quota, Scope::Call) => None,
        (ErrorKind::Quota, _) => {
            let offer = facts.and_then(|facts| asked.find(facts));
            let family = offer.map(|offer| offer.family.clone());
            Some(Shortage::Family {
                family: family.unwrap_or_else(|| asked.machine_type.to_owned()),
                capacity: asked.capacity,
            })
        }
        (
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Precondition
            | ErrorKind::Throttled
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::Invalid
            | ErrorKind::Unsupported
            | ErrorKind::Timeout
            | ErrorKind::Transient
            | ErrorKind::Internal,
            _,
        ) => None,
    }
}

/// Whether an offer is not tried: it is in the book, or too much that is like it.
fn is_short(live: &[&StockEntry], site: &Name, offer: &Offer) -> bool {
    let here = || live.iter().filter(|entry| entry.site == *site);
    let types = here().filter(|entry| {
        matches!(&entry.what, Shortage::Offer { zone, capacity, .. }
            if *zone == offer.zone && *capacity == offer.capacity)
    });
    let families = here().filter(|entry| {
        matches!(&entry.what, Shortage::Family { capacity, .. } if *capacity == offer.capacity)
    });
    here().any(|entry| entry.covers(site, offer))
        || types.count() >= SIMILAR_MAX
        || families.count() >= SIMILAR_MAX
}

/// Doubled with each refusal in a row.
fn pause(times: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(times.saturating_sub(1));
    PAUSE_MIN.saturating_mul(doubled).min(PAUSE_MAX)
}
