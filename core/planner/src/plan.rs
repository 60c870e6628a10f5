//! The plan: what would be done, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strat_model::{
    Addr, Field, Fingerprint, HealthCheck, Kind, LocalAddr, Name, Owner, Resource, ResourceId,
    Transition,
};

use crate::left::{Refused, Withheld};
use crate::{BudgetState, Cost, Dependency, GivenThing, Goal, HeldCount, StockEntry, View};

/// What is to be done about one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make it.
    Create,
    /// Mark as ours what is there already.
    Adopt,
    /// Change it in place.
    Update,
    /// Make it anew, in the order that the change says.
    Replace,
    /// Delete it.
    Delete,
    /// Take our mark off and leave it.
    Forget,
}

impl Action {
    /// The word in plans and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoOp => "no_op",
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
        }
    }
}

/// Which comes first in a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplaceOrder {
    /// The new one runs before the old one goes.
    CreateFirst,
    /// The old one has to go first, because both cannot be at once.
    DestroyFirst,
}

/// Where a difference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The topology says something else than before.
    Topology,
    /// The world was changed behind Stratiform's back.
    Drift,
    /// Something it refers to is made anew.
    Dependency,
    /// An interrupted run left it.
    Interrupted,
    /// A person asked for it.
    Requested,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// What it is about.
    pub addr: Addr,
    /// Its kind.
    pub kind: Kind,
    /// Its site.
    pub site: Name,
    /// What is to be done.
    pub action: Action,
    /// How many real things it is done to.
    pub count: u32,
    /// Which comes first, for a replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ReplaceOrder>,
    /// Where the difference comes from.
    pub cause: Cause,
    /// Why, for people; it never drives apply.
    pub reason: String,
    /// What is now, by field; of a fleet, of one member. `null` where there is nothing.
    #[cfg_attr(feature = "schema", schemars(with = "Value", extend("type" = ["object", "null"])))]
    pub before: View,
    /// What is to be, by field. `null` where there is to be nothing.
    #[cfg_attr(feature = "schema", schemars(with = "Value", extend("type" = ["object", "null"])))]
    pub after: View,
    /// The fields that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// What it takes to change what is there, or to make it anew, and what is lost by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<Transition>,
    /// What a machine that is stopped for it, or was off, must answer once it runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    /// What the marks of its targets are to note of their draining, if that is all that it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drains: Option<String>,
    /// Whether each machine that it makes gets a public address of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_ips: bool,
    /// Whether a protection forbids it. The plan cannot be applied then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Whether deleting the thing is refused from now on: what its mark will say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protect: bool,
    /// Whether its data may go without being agreed to by name from now on: what its mark will say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disposable: bool,
    /// The real things that it changes or deletes, as they were when the plan was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetRef>,
    /// What it makes, or brings its targets to. Empty for a delete.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<Arc<Goal>>,
    /// What must be done before it, besides what its goals refer to: `machine.db@dc1`, or without a
    /// site all instances of a block.
    #[serde(default, skip_serializing_if = "none")]
    pub depends_on: Arc<[Dependency]>,
}

fn none(depends_on: &Arc<[Dependency]>) -> bool {
    depends_on.is_empty()
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// What it is now.
    pub before: Value,
    /// What it is to be. Secrets stand here by their digest.
    pub after: Value,
    /// Whether this field alone makes the thing anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forces_replacement: bool,
    /// Whether a machine is shut down for this field, and started again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stops: bool,
}

/// A real thing as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetRef {
    /// Its id.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Its digest then. Another digest at apply stops the step.
    pub fingerprint: Fingerprint,
    /// The generation in its mark.
    pub generation: u64,
    /// The goal it is brought to, as an index, for an update or replacement.
    #[serde(default)]
    pub goal: usize,
    /// Whether it is a machine to be switched on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub start: bool,
    /// Whether data goes with it for good, which must be agreed to by name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub data_loss: bool,
    /// Which of the change's fields differ in this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What it was called until now, if it is renamed: its mark still says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<Former>,
}

/// What a thing was called before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Former {
    /// Whose it was, where the topology itself was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Its address.
    pub addr: Addr,
}

impl fmt::Display for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.addr)?;
        let owner = self.owner.iter();
        owner
            .map(|owner| &owner.topology)
            .try_for_each(|name| write!(f, " of topology.{name}"))
    }
}

/// One thing that goes and one like it that comes: it may have been renamed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rename {
    /// What goes.
    pub from: LocalAddr,
    /// What comes.
    pub to: LocalAddr,
}

impl TargetRef {
    /// A thing as it is now.
    pub(crate) fn of(resource: &Resource, goal: usize) -> Self {
        Self {
            id: resource.id.clone(),
            name: resource.name.clone(),
            fingerprint: resource.fingerprint(),
            generation: resource.mark.as_ref().map_or(1, |mark| mark.generation),
            goal,
            start: false,
            data_loss: false,
            fields: Vec::new(),
            renamed_from: None,
        }
    }
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To bring the world to what the topology says.
    #[default]
    Apply,
    /// To delete all that is the topology's.
    Destroy,
}

/// Where the topology was read from, so that a saved plan finds it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Source {
    /// The file or folder.
    pub path: PathBuf,
    /// The variables that were given and are not sensitive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vars: BTreeMap<String, String>,
    /// Files of variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub var_files: Vec<PathBuf>,
    /// The environment that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Name>,
}

/// What of a subnet's machines goes before others come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GoesFirst {
    /// What goes without a successor.
    Surplus,
    /// All that goes, but for blocks that give way in waves.
    All,
}

/// In which waves the machines of one block give way to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rollout {
    /// How many machines give way at once: as many as wanted, or as there is room for.
    pub wave: u32,
    /// Whether what goes goes first in each wave, because there is no room for even one beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub destroy_first: bool,
    /// What each new machine must answer before an old one goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
}

/// A real thing whose data goes for good, which must be agreed to by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DataLoss {
    /// Which thing of the topology.
    pub addr: Addr,
    /// Which real thing.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// Whether it is deleted or made anew; or updated: it becomes one of a fleet, whose members go
    /// without being asked for.
    pub action: Action,
}

/// What must be agreed to before the plan is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Guard {
    /// How many things the plan deletes for good.
    pub deletes: u32,
    /// How many of the topology's things there are now.
    pub existing: u32,
}

/// How many real things each action touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each counts the action of its name")]
pub struct Summary {
    pub create: u32,
    pub update: u32,
    pub replace: u32,
    pub delete: u32,
    pub adopt: u32,
    #[serde(default)]
    pub forget: u32,
    pub no_op: u32,
}

/// What would be done: immutable, and with nothing left to choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// The version of this form: [`Plan::FORMAT_VERSION`].
    pub format_version: u32,
    /// What sets this plan apart: a digest of all that is in it and of what it was made from.
    pub id: String,
    /// Whose things it is about.
    pub topology: Owner,
    /// What it is for.
    pub mode: Mode,
    /// Where the topology was read from; set by who read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The differences, sorted by address and action.
    pub changes: Vec<Change>,
    /// Sites without room for what goes and what comes at once: deletes go first there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tight: BTreeSet<Name>,
    /// Subnets without an address for what goes and what comes at once: what goes first there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crowded: BTreeMap<Addr, GoesFirst>,
    /// The blocks whose machines give way to others in waves.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollouts: BTreeMap<LocalAddr, Rollout>,
    /// The fleets whose count a burst holds: this plan scales none of them, but for their bounds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held: BTreeMap<LocalAddr, HeldCount>,
    /// What is left as it is because too little is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// What cannot be made as the topology says, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// What was out of stock or beyond a quota lately, so that nothing of this plan asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub avoided: Vec<StockEntry>,
    /// The things whose data goes for good, sorted by address.
    #[serde(default)]
    pub data_loss: Vec<DataLoss>,
    /// What goes and may only have been renamed, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renames: Vec<Rename>,
    /// What others own and the plan refers to, sorted by address; none of it is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<GivenThing>,
    /// Set where the plan deletes so much that it needs an explicit consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// How many things each action touches.
    pub summary: Summary,
    /// What it costs.
    pub cost: Cost,
}

impl Plan {
    /// The version of the plan's form that this program writes and reads.
    pub const FORMAT_VERSION: u32 = 1;

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes that a protection forbids.
    pub fn protected(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.protected)
    }

    /// The changes for which a machine is shut down and started again.
    pub fn stops(&self) -> impl Iterator<Item = &Change> {
        let stops = |change: &&Change| change.transition.as_ref().is_some_and(Transition::stops);
        self.changes.iter().filter(stops)
    }

    /// Whether data goes for good with one of a change's things.
    #[must_use]
    pub fn loses_data(change: &Change) -> bool {
        change.targets.iter().any(|target| target.data_loss)
    }

    /// The budgets that forbid the plan.
    pub fn over_budget(&self) -> impl Iterator<Item = &BudgetState> {
        self.cost.budgets.iter().filter(|budget| budget.exceeded)
    }

    /// The changes that mend what was done behind Stratiform's back.
    pub fn drift(&self) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(|change| change.cause == Cause::Drift)
    }
}
