//! What a run gives back.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{Addr, CapacityKind, Error, Name, ResourceId, Spec};
use strat_planner::{Action, StepId};

use crate::Operation;

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// What became of each step, by number.
    pub steps: Vec<StepReport>,
    /// How many steps ended how.
    pub counts: Counts,
    /// Whether a stop kept it from its end.
    pub interrupted: bool,
    /// What stopped the whole run: the folder's lease was lost, or the journal cannot be written.
    pub fatal: Option<Arc<Error>>,
}

impl Report {
    /// Whether every step is done.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.fatal.is_none() && !self.interrupted && self.counts.done == self.steps.len()
    }

    /// The steps that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&StepReport, &Arc<Error>)> {
        self.steps.iter().filter_map(|step| match &step.outcome {
            Outcome::Failed(error) => Some((step, error)),
            Outcome::Done | Outcome::Skipped { .. } | Outcome::NotStarted | Outcome::Abandoned => {
                None
            }
        })
    }
}

/// How many steps ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counts {
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Left out because of a failure.
    pub skipped: usize,
    /// Not begun, or not waited for, because of a stop.
    pub stopped: usize,
}

/// What became of a step.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Its number.
    pub step: StepId,
    /// What it is about.
    pub addr: Addr,
    /// The site.
    pub site: Name,
    /// The action of the change it is part of.
    pub action: Action,
    /// What it does.
    pub operation: Operation,
    /// To how many things.
    pub count: u32,
    /// The offer it asked for, when it makes machines, or makes one another size. With a `Capacity` error, this is what the
    /// next plan is to avoid, as far as the error's scope reaches.
    pub offer: Option<OfferRef>,
    /// The subnet where what it makes gets its address, when it makes machines.
    pub subnet: Option<Addr>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it made; perhaps something even when it failed.
    pub made: Vec<ResourceId>,
    /// How many of those died as they were launched, because there were no more: they are counted as not made.
    pub lost: u32,
    /// What it deleted, and when the cloud had agreed to that: from then on nobody is billed for it, however
    /// long it takes to be gone. Perhaps something even when the step failed.
    pub deleted: Vec<(ResourceId, Timestamp)>,
}

/// How a step ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// As it should.
    Done,
    /// It failed.
    Failed(Arc<Error>),
    /// It was left out.
    Skipped {
        /// The address whose failure is to blame: the first one, not the one before it.
        because: Addr,
    },
    /// A stop came before it began.
    NotStarted,
    /// A stop came while it ran: its call was made or may have been, and nobody waited for the
    /// end. The next apply does.
    Abandoned,
}

/// What machines are bought as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OfferRef {
    /// The cloud's name for the size.
    pub machine_type: String,
    /// The zone.
    pub zone: Name,
    /// How the capacity is bought.
    pub capacity: CapacityKind,
}

impl OfferRef {
    /// The offer that a spec asks for; only machines do.
    #[must_use]
    pub fn of<R>(spec: &Spec<R>) -> Option<Self> {
        match spec {
            Spec::Machine(spec) => Some(Self {
                machine_type: spec.machine_type.clone(),
                zone: spec.zone.clone(),
                capacity: spec.capacity,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for OfferRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machine_type,
            zone,
            capacity,
        } = self;
        write!(f, "{machine_type}/{zone}/{}", capacity.as_str())
    }
}
