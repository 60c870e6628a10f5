//! The runnable form of a plan.

use std::collections::BTreeSet;

use strat_model::{Addr, Field, HealthCheck, Kind, Name, ResourceId};

use crate::TargetRef;

/// A step's number: its index in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

impl StepId {
    /// The index in [`StepGraph::steps`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A join's number: its index in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JoinId(pub u32);

impl JoinId {
    /// The index in [`StepGraph::joins`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What one step does: one mutating call, or one for each of a few things of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOp {
    /// Makes `count` things of the change's goal number `goal`, unattached.
    Create {
        /// Index into the change's goals.
        goal: usize,
        /// How many: more than one only for machines, and never more than the site's batch.
        count: u32,
        /// The generation that their marks say.
        generation: u64,
        /// Sets apart the batches of one change.
        part: u32,
        /// For a firewall: the firewalls whose rules are left out for now, because they name each
        /// other (or itself) and one has to be first. An `Update` of the rules follows.
        without: Vec<Addr>,
    },
    /// Changes a thing in place, all but its attachment. No fields: writes the mark alone.
    Update {
        /// Which thing; `None`: what a `Create` of this change made.
        target: Option<TargetRef>,
        /// Index into the change's goals.
        goal: usize,
        /// What differs.
        fields: BTreeSet<Field>,
    },
    /// Rewrites whose and which a thing its mark says that it is, and whether it drains; nothing else.
    Rename {
        /// Which thing.
        target: TargetRef,
    },
    /// Takes the mark off a thing, which stays as it is otherwise.
    Release {
        /// Which thing.
        target: TargetRef,
    },
    /// Takes all rules off a firewall that is about to be deleted, because others that go too
    /// name it in theirs, and it names them.
    ClearRules {
        /// Which firewall.
        target: TargetRef,
    },
    /// Lets a volume go from the machine it is attached to.
    Detach {
        /// Which volume.
        target: TargetRef,
    },
    /// Attaches the thing at the change's address (volume, address) as its goal says.
    Attach {
        /// The thing, if it was there before; `None`: what a `Create` of this change made.
        target: Option<TargetRef>,
        /// Index into the change's goals.
        goal: usize,
    },
    /// Changes a machine that has to be off for it: shuts it down, changes it, starts it again. Where
    /// there is no capacity for what it became, it is made what it was.
    Restart {
        /// Which machine.
        target: TargetRef,
        /// Index into the change's goals.
        goal: usize,
        /// What differs.
        fields: BTreeSet<Field>,
    },
    /// Shuts machines down, so that their volumes can be let go.
    Stop {
        /// Which machines.
        targets: Vec<TargetRef>,
    },
    /// Switches machines on.
    Start {
        /// Which machines.
        targets: Vec<TargetRef>,
    },
    /// Waits until machines run, and asks them whether they do their work, again and again until
    /// they say so or their time is up. Changes nothing.
    Probe {
        /// The steps whose machines are asked.
        made: Vec<StepId>,
        /// Machines that were there before and are asked, too.
        ids: Vec<ResourceId>,
        /// What they are asked; `None`: that they run is enough.
        health: Option<HealthCheck>,
    },
    /// Deletes things, and waits until they are gone.
    Delete {
        /// Which; more than one only for machines, and never more than the site's batch.
        targets: Vec<TargetRef>,
    },
}

/// A runnable unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// The change it is part of: an index into the plan's changes.
    pub change: usize,
    /// What it is about.
    pub addr: Addr,
    /// The kind of thing.
    pub kind: Kind,
    /// The site.
    pub site: Name,
    /// What it does.
    pub op: StepOp,
    /// What must be done before it, sorted. Every one has a smaller place in some order: there is
    /// no cycle.
    pub deps: Vec<StepId>,
    /// Steps for which many wait together, and this one too; sorted.
    pub joins: Vec<JoinId>,
    /// The length of the longest chain of steps that wait for this one, itself included: what is
    /// run first when not all can run.
    pub height: u32,
}

/// Steps that must all be done before any of those which wait for them together. It is no step:
/// there is nothing to do in it, and nobody is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The steps, sorted.
    pub deps: Vec<StepId>,
}

/// Steps and what each waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepGraph {
    /// The steps, by number.
    pub steps: Vec<Step>,
    /// The joins, by number.
    pub joins: Vec<Join>,
}

impl StepGraph {
    /// The steps that must be done before a step, those behind joins too; some may come twice.
    pub fn deps<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = StepId> + use<'a> {
        let joined = step
            .joins
            .iter()
            .filter_map(|id| self.joins.get(id.index()));
        let joined = joined.flat_map(|join| &join.deps);
        step.deps.iter().chain(joined).copied()
    }
}
