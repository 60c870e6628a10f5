//! What an apply learns of what ran out, from round to round.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use strat_engine::{OfferRef, Outcome, Report};
use strat_model::{Addr, Name, ResourceId, SiteFacts};
use strat_planner::{Action, MachineOffer, Plan, StockBook};

use crate::stock::StockFile;

/// The books of one apply.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// What this apply does not try: what its plan did not, and what it learned.
    pub(crate) avoid: StockBook,
    /// What later ones are not to try either.
    kept: StockBook,
    file: StockFile,
    /// What this apply made.
    made: BTreeSet<(Name, ResourceId)>,
}

impl Rounds {
    /// The books at the beginning of an apply of a plan.
    pub(crate) fn begin(plan: &Plan, file: StockFile) -> Self {
        Self {
            avoid: StockBook::of(plan.avoided.iter().cloned()),
            kept: file.read().0,
            file,
            made: BTreeSet::new(),
        }
    }

    /// Learns from a round. Says whether something ran out, and gives a warning if that could not
    /// be written down for later.
    pub(crate) fn learn(
        &mut self,
        report: &Report,
        facts: &BTreeMap<Name, SiteFacts>,
        now: Timestamp,
    ) -> (bool, Option<String>) {
        let before = self.kept.clone();
        let mut short = false;
        for step in &report.steps {
            let made = step.made.iter().cloned();
            self.made.extend(made.map(|id| (step.site.clone(), id)));
            let Some(offer) = &step.offer else { continue };
            let asked = asked(offer, step.subnet.as_ref());
            let site_facts = facts.get(&step.site);
            match &step.outcome {
                Outcome::Done => {
                    if let Some(sold) = site_facts.and_then(|facts| asked.find(facts)) {
                        self.kept.sold(&step.site, sold);
                    }
                    if let Some(subnet) = &step.subnet {
                        self.kept.got_address(subnet);
                    }
                }
                Outcome::Failed(error) => {
                    let learned = self.avoid.learn(&step.site, &asked, site_facts, error, now);
                    short |= learned.is_some();
                    self.kept.learn(&step.site, &asked, site_facts, error, now);
                }
                Outcome::Skipped { .. } | Outcome::NotStarted | Outcome::Abandoned => {}
            }
        }
        let written = match self.kept == before {
            true => Ok(()),
            false => self.file.write(&self.kept),
        };
        let warning = written
            .err()
            .map(|why| format!("what ran out is not remembered for the next plan: {why}"));
        (short, warning)
    }

    /// Whether `next` takes nothing away that `agreed` did not, or this apply did not make: what
    /// nobody saw is never deleted.
    pub(crate) fn takes_nothing_more(&self, agreed: &Plan, next: &Plan) -> bool {
        let agreed = taken(agreed);
        let here = taken(next);
        here.iter()
            .all(|one| agreed.contains(one) || self.made.contains(one))
    }
}

fn asked<'a>(offer: &'a OfferRef, subnet: Option<&'a Addr>) -> MachineOffer<'a> {
    MachineOffer {
        machine_type: &offer.machine_type,
        zone: &offer.zone,
        capacity: offer.capacity,
        subnet,
    }
}

/// The real things that a plan deletes.
fn taken(plan: &Plan) -> BTreeSet<(Name, ResourceId)> {
    let changes = plan.changes.iter();
    let taken = changes.filter(|c| matches!(c.action, Action::Delete | Action::Replace));
    let targets = taken.flat_map(|change| {
        let ids = change.targets.iter().map(|target| target.id.clone());
        ids.map(|id| (change.site.clone(), id))
    });
    targets.collect()
}
