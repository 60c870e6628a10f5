//! Evaluated, placed intent: no expression and no choice left in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strat_model::{
    Addr, BudgetIntent, Digest, Field, ImageRef, LocalAddr, Money, Name, Owner, ResourceId,
    RolloutIntent, Shared, Spec,
};

use crate::{Dependency, Reason, Scale};

/// What is to be, everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Whose it is.
    pub owner: Owner,
    /// By address.
    pub entries: BTreeMap<Addr, Entry>,
    /// What cannot be said now, because a site gave no answer: these local addresses are left as
    /// they are, and why.
    pub withheld: BTreeMap<LocalAddr, Reason>,
    /// What it may cost.
    pub budgets: Vec<BudgetIntent>,
    /// By how much, in US dollars an hour, it may cost less and more if what was chosen runs out.
    pub fallback: (Decimal, Decimal),
    /// How far, relative to the best places, those of the machines may be from them: 0 is proven
    /// best; `None`, that no bound was found.
    pub gap: Option<Decimal>,
    /// How the machines of each block give way to others.
    pub rollouts: BTreeMap<LocalAddr, RolloutIntent>,
    /// Subnets that lately had no address left, whatever is seen in them.
    pub full: BTreeSet<Addr>,
    /// The fleets whose count a burst holds.
    pub held: BTreeMap<LocalAddr, HeldCount>,
    /// What decisions of bursts make of fleets. Where there is any, nothing else is planned.
    pub scales: BTreeMap<LocalAddr, Scale>,
    /// What others own and the topology refers to, as it was seen: it is never written to.
    pub given: BTreeMap<Addr, Spec<Addr>>,
}

/// The count of a fleet that a burst holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HeldCount {
    /// The burst's name.
    pub by: String,
    /// How many there are to be: those that run, within the bounds.
    pub count: u32,
    /// The fewest: the fleet's own count.
    pub least: u32,
    /// The most that the burst permits.
    pub most: u32,
}

impl Desired {
    /// How many things of a block there are to be, everywhere.
    #[must_use]
    pub fn count(&self, local: &LocalAddr) -> u32 {
        let entries = self.entries.iter();
        let entries = entries.filter(|(addr, _)| addr.local == *local);
        entries.map(|(_, entry)| entry.count()).sum()
    }

    /// The machines that an `address` leads to.
    #[must_use]
    pub fn addressed(&self) -> BTreeSet<&Addr> {
        let goals = self.entries.values().flat_map(|entry| &entry.goals);
        let machines = goals.filter_map(|goal| match &goal.spec {
            Spec::Address(address) => address.attach.as_ref(),
            _ => None,
        });
        machines.collect()
    }
}

/// What is to be at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One goal of count 1, or for a fleet one goal a zone.
    pub goals: Vec<Arc<Goal>>,
    /// Whether deleting it is refused.
    pub protect: bool,
    /// Whether its data may go without being agreed to by name, once its mark says so.
    pub disposable: bool,
    /// The fields whose differences are left as they are.
    pub ignore: Shared<BTreeSet<Field>>,
    /// What must be done before it, besides what its spec refers to. Things that say the same share
    /// it.
    pub depends_on: Arc<[Dependency]>,
    /// Why it goes where it goes, where it could have stayed elsewhere.
    pub why: Option<String>,
}

impl Desired {
    /// Nothing at all, as for a `destroy`.
    #[must_use]
    pub fn nothing(owner: Owner) -> Self {
        Self {
            owner,
            entries: BTreeMap::new(),
            withheld: BTreeMap::new(),
            budgets: Vec::new(),
            fallback: (Decimal::ZERO, Decimal::ZERO),
            gap: Some(Decimal::ZERO),
            rollouts: BTreeMap::new(),
            full: BTreeSet::new(),
            held: BTreeMap::new(),
            scales: BTreeMap::new(),
            given: BTreeMap::new(),
        }
    }
}

impl Entry {
    /// How many things it is.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.goals.iter().map(|goal| goal.count).sum()
    }
}

/// Some interchangeable things of one spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Goal {
    /// How many.
    pub count: u32,
    /// What each is to be.
    pub spec: Spec<Addr>,
    /// What the mark notes besides, because it cannot be read back.
    pub notes: Shared<BTreeMap<Field, String>>,
    /// The price of an hour of one; `None` where it is not known.
    pub price_hour: Option<Money>,
}

impl Goal {
    /// The short digest of the spec: what the mark carries.
    ///
    /// The id of a public image does not count, only its neutral name: a newer build of an image
    /// is no change.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut spec = self.spec.clone();
        if let Spec::Machine(machine) = &mut spec
            && let ImageRef::Named { id, .. } = &mut machine.image
        {
            *id = ResourceId::from("");
        }
        Digest::of_json(&(&spec, self.notes.get(&Field::Request)))
            .short()
            .to_owned()
    }

    /// The zone of a machine or volume.
    #[must_use]
    pub const fn zone(&self) -> Option<&Name> {
        match &self.spec {
            Spec::Machine(spec) => Some(&spec.zone),
            Spec::Volume(spec) => Some(&spec.zone),
            Spec::Subnet(spec) => spec.zone.as_ref(),
            _ => None,
        }
    }
}
