//! What to do when a cloud is out of stock: plan again without what it has none of.

use std::collections::{BTreeMap, BTreeSet};

use strat_engine::{OfferRef, Report};
use strat_model::{Addr, ErrorKind, Name, Scope, SiteFacts};
use strat_planner::{Action, Plan};

/// How many machine types may be out of stock in a zone until the whole zone counts as empty: a
/// cloud that is out of what fits well is not asked for ever larger machines.
const TYPES_MAX: usize = 3;

/// What turned out to be out of stock during one apply.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutOfStock {
    offers: BTreeSet<(Name, OfferRef)>,
    zones: BTreeSet<(Name, Name)>,
    sites: BTreeSet<Name>,
}

impl OutOfStock {
    /// Learns from a run's failures. Says whether it learned something new.
    pub(crate) fn learn(&mut self, report: &Report) -> bool {
        let mut new = false;
        for (step, error) in report.failures() {
            let Some(offer) = &step.offer else { continue };
            if error.kind() != ErrorKind::Capacity {
                continue;
            }
            let site = step.site.clone();
            new |= match error.scope() {
                Scope::Call | Scope::Offer => self.offers.insert((site, offer.clone())),
                Scope::Zone => self.zones.insert((site, offer.zone.clone())),
                Scope::Region | Scope::Account | Scope::Cloud => self.sites.insert(site),
            };
        }
        new
    }

    /// The facts without it.
    pub(crate) fn without(&self, facts: &BTreeMap<Name, SiteFacts>) -> BTreeMap<Name, SiteFacts> {
        let mut facts = facts.clone();
        for (site, facts) in &mut facts {
            facts.offers.retain(|offer| {
                let this = OfferRef {
                    machine_type: offer.machine_type.clone(),
                    zone: offer.zone.clone(),
                    capacity: offer.capacity,
                };
                !self.sites.contains(site)
                    && !self.zone_is_empty(site, &offer.zone)
                    && !self.offers.contains(&(site.clone(), this))
            });
        }
        facts
    }

    fn zone_is_empty(&self, site: &Name, zone: &Name) -> bool {
        let here = |(of, offer): &&(Name, OfferRef)| of == site && offer.zone == *zone;
        self.zones.contains(&(site.clone(), zone.clone()))
            || self.offers.iter().filter(here).count() >= TYPES_MAX
    }
}

/// Whether `next` takes nothing away that `agreed` did not: what nobody saw is never deleted.
pub(crate) fn takes_nothing_more(agreed: &Plan, next: &Plan) -> bool {
    let taken = |plan: &Plan| -> BTreeSet<Addr> {
        plan.changes
            .iter()
            .filter(|change| matches!(change.action, Action::Delete | Action::Replace))
            .map(|change| change.addr.clone())
            .collect()
    };
    taken(next).is_subset(&taken(agreed))
}
