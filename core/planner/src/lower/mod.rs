//! From a plan to steps and what each waits for.
//!
//! What is made waits for what it refers to. What is deleted waits for whatever refers to it to be
//! deleted or led elsewhere. A replacement makes the new one, leads its users over, and deletes the
//! old one last; where both cannot be at once, the other way round.

mod crowded;
mod deletes;
mod firewalls;
mod generations;
mod graph;
mod joins;
mod rollout;
mod stops;

pub(crate) use deletes::users;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Addr, Field, Inventory, Kind, Name, Noun, ResourceId, SiteFacts, Spec};

use crate::plan::{Action, Change, Plan, ReplaceOrder, TargetRef};
use crate::step::{Step, StepGraph, StepId, StepOp};
use crate::{Goal, InventoryIndex};

/// Turns a plan into steps.
///
/// `inventory` and `facts` are those that the plan was made from, or newer ones that its
/// fingerprints still hold for.
#[must_use]
pub fn lower(plan: &Plan, inventory: &Inventory, facts: &BTreeMap<Name, SiteFacts>) -> StepGraph {
    let index = InventoryIndex::new(inventory, &plan.topology);
    let mut lowering = Lowering {
        plan,
        facts,
        index: &index,
        steps: Vec::new(),
        provides: FxHashMap::default(),
        creates: FxHashMap::default(),
        touches: FxHashMap::default(),
        without: firewalls::left_out(plan),
        circles: firewalls::deleted_circles(plan, &index),
        strayed: generations::strayed(plan, &index),
        released: generations::released(inventory),
        machines_that_go: machines_that_go(plan),
        parts: FxHashMap::default(),
        soft: graph::Soft::default(),
        joins: joins::Joins::new(plan),
        surplus: FxHashSet::default(),
        destroy_first: plan
            .changes
            .iter()
            .filter(|change| change.order == Some(ReplaceOrder::DestroyFirst))
            .map(|change| &change.addr)
            .collect(),
    };
    for (number, change) in plan.changes.iter().enumerate() {
        if !lowering.rolls(change) {
            lowering.change(number, change);
        }
    }
    lowering.roll_out();
    lowering.wait_for_references();
    lowering.stop_first();
    lowering.probe_when_attached();
    lowering.order_deletes(inventory);
    lowering.make_room();
    lowering.free_addresses();
    graph::finish(lowering.steps, lowering.joins.joins, &lowering.soft)
}

/// The work in progress of one [`lower`].
struct Lowering<'a> {
    plan: &'a Plan,
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
    steps: Vec<Step>,
    /// The steps after which an address is as it is to be.
    provides: FxHashMap<&'a Addr, Vec<StepId>>,
    /// The creating steps of an address.
    creates: FxHashMap<&'a Addr, Vec<StepId>>,
    /// The steps that change or delete a real thing.
    touches: FxHashMap<(&'a Name, &'a ResourceId), Vec<StepId>>,
    /// For firewalls that name each other: those that each is made without.
    without: FxHashMap<&'a Addr, BTreeSet<Addr>>,
    /// How many batches an address has so far.
    parts: FxHashMap<&'a Addr, u32>,
    /// What waits for what only for the sake of order.
    soft: graph::Soft,
    /// Firewalls that go together and name each other.
    circles: FxHashMap<(&'a Name, &'a ResourceId), usize>,
    /// Names that things got under other addresses.
    strayed: generations::Strayed<'a>,
    /// The generations of what was let go and is there still.
    released: FxHashMap<&'a Addr, u64>,
    /// Machines that this plan deletes.
    machines_that_go: FxHashSet<(&'a Name, &'a ResourceId)>,
    /// What many wait for together.
    joins: joins::Joins<'a>,
    /// The steps of rollouts that delete what has no successor.
    surplus: FxHashSet<StepId>,
    /// What goes before its successor is made.
    destroy_first: FxHashSet<&'a Addr>,
}

impl<'a> Lowering<'a> {
    fn push(&mut self, number: usize, change: &'a Change, op: StepOp, deps: Vec<StepId>) -> StepId {
        let id = StepId(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(Step {
            id,
            change: number,
            addr: change.addr.clone(),
            kind: change.kind,
            site: change.site.clone(),
            op,
            deps,
            joins: Vec::new(),
            height: 0,
        });
        id
    }

    fn change(&mut self, number: usize, change: &'a Change) {
        match change.action {
            Action::NoOp => {}
            Action::Forget => {
                for target in &change.targets {
                    let target = target.clone();
                    self.push(number, change, StepOp::Release { target }, Vec::new());
                }
            }
            Action::Create => {
                let generation = self.next_generation(change);
                self.create(number, change, generation);
            }
            Action::Adopt | Action::Update => {
                for target in &change.targets {
                    if change.goals.is_empty() {
                        self.rename(number, change, target);
                    } else {
                        self.update(number, change, target);
                    }
                }
            }
            Action::Delete => {
                self.delete(number, change);
            }
            Action::Replace => self.replace(number, change),
        }
    }

    fn replace(&mut self, number: usize, change: &'a Change) {
        let generation = self.next_generation(change);
        let first = change.order == Some(ReplaceOrder::DestroyFirst);
        let gone = first.then(|| self.delete(number, change));
        let made = self.create(number, change, generation);
        if let Some(gone) = gone {
            self.wait_for_all(&made.creates, &gone);
        } else {
            let gone = self.delete(number, change);
            self.wait_for_all(&gone, &made.all);
        }
    }

    /// Numbers the batches of an address, over all its changes: a fleet may grow and be replaced in
    /// one plan.
    fn next_part(&mut self, addr: &'a Addr) -> u32 {
        let next = self.parts.entry(addr).or_default();
        *next += 1;
        *next - 1
    }

    /// The steps that make what a change's goals say.
    fn create(&mut self, number: usize, change: &'a Change, generation: u64) -> Made {
        let mut made = Vec::new();
        let batch = self
            .facts
            .get(&change.site)
            .map_or(1, |facts| facts.capabilities.create_batch.max(1));
        for (goal_number, goal) in change.goals.iter().enumerate() {
            let mut left = goal.count;
            while left > 0 {
                let count = left.min(if change.kind == Kind::Machine {
                    batch
                } else {
                    1
                });
                left -= count;
                let without = self
                    .without
                    .get(&change.addr)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                let op = StepOp::Create {
                    goal: goal_number,
                    count,
                    generation,
                    part: self.next_part(&change.addr),
                    without,
                };
                made.push(self.push(number, change, op, Vec::new()));
            }
            made.extend(self.second_half(number, change, goal_number, goal, &made));
        }
        let creates = made
            .iter()
            .copied()
            .filter(|id| matches!(self.steps[id.index()].op, StepOp::Create { .. }));
        let creates: Vec<_> = creates.collect();
        self.creates
            .entry(&change.addr)
            .or_default()
            .extend(&creates);
        self.provides
            .entry(&change.addr)
            .or_default()
            .extend(&creates);
        Made { creates, all: made }
    }

    /// What has to be done to a thing right after it was made: rules that name firewalls which
    /// were not there yet, and attachments.
    fn second_half(
        &mut self,
        number: usize,
        change: &'a Change,
        goal: usize,
        spec: &Goal,
        made: &[StepId],
    ) -> Option<StepId> {
        if self.without.contains_key(&change.addr) {
            let op = StepOp::Update {
                target: None,
                goal,
                fields: BTreeSet::from([Field::Rules]),
            };
            return Some(self.push(number, change, op, made.to_vec()));
        }
        if attachment(&spec.spec).is_some() {
            let op = StepOp::Attach { target: None, goal };
            return Some(self.push(number, change, op, made.to_vec()));
        }
        None
    }

    /// Gives a thing its new name and leaves it as it is otherwise.
    fn rename(&mut self, number: usize, change: &'a Change, target: &'a TargetRef) {
        let op = StepOp::Rename {
            target: target.clone(),
        };
        let id = self.push(number, change, op, Vec::new());
        let touches = self.touches.entry((&change.site, &target.id)).or_default();
        touches.push(id);
        self.provides.entry(&change.addr).or_default().push(id);
    }

    fn update(&mut self, number: usize, change: &'a Change, target: &'a TargetRef) {
        let mut last: Vec<StepId> = Vec::new();
        let fields: BTreeSet<Field> = target
            .fields
            .iter()
            .copied()
            .filter(|field| {
                let apart = matches!(field, Field::Attach | Field::Power);
                // The mark is written with whatever else is.
                !apart && (*field == Field::Request || !field.is_of_mark())
            })
            .collect();
        let mut put = |lowering: &mut Self, op: StepOp| {
            let id: StepId = lowering.push(number, change, op, last.clone());
            lowering
                .touches
                .entry((&change.site, &target.id))
                .or_default()
                .push(id);
            lowering.provides.entry(&change.addr).or_default().push(id);
            last = vec![id];
        };
        let power_alone = target.fields.as_slice() == [Field::Power];
        let probe = StepOp::Probe {
            made: Vec::new(),
            ids: vec![target.id.clone()],
            health: change.health.clone(),
        };
        let takes = change.transition.as_ref();
        if takes.is_some_and(strat_model::Transition::stops) {
            let op = StepOp::Restart {
                target: target.clone(),
                goal: target.goal,
                fields,
            };
            put(self, op);
            put(self, probe);
            return;
        }
        if !power_alone {
            let op = StepOp::Update {
                target: Some(target.clone()),
                goal: target.goal,
                fields,
            };
            put(self, op);
        }
        if target.start {
            put(
                self,
                StepOp::Start {
                    targets: vec![target.clone()],
                },
            );
            if change.health.is_some() {
                put(self, probe);
            }
        }
        if target.fields.contains(&Field::Attach) {
            let attached = self
                .index
                .by_id(&change.site, &target.id)
                .is_some_and(|found| attachment(&found.spec).is_some());
            if attached && change.kind == Kind::Volume {
                put(
                    self,
                    StepOp::Detach {
                        target: target.clone(),
                    },
                );
            }
            let wanted = change
                .goals
                .get(target.goal)
                .is_some_and(|goal| attachment(&goal.spec).is_some());
            if wanted || change.kind == Kind::Address {
                let op = StepOp::Attach {
                    target: Some(target.clone()),
                    goal: target.goal,
                };
                put(self, op);
            }
        }
    }

    /// The steps that delete a change's targets. Gives the deletes, without what precedes them.
    fn delete(&mut self, number: usize, change: &'a Change) -> Vec<StepId> {
        let batch = self
            .facts
            .get(&change.site)
            .map_or(1, |facts| facts.capabilities.ids_per_call.max(1));
        let batch = if change.kind == Kind::Machine {
            batch as usize
        } else {
            1
        };
        let mut deletes = Vec::new();
        for targets in change.targets.chunks(batch) {
            let before = self.let_go(number, change, &targets[0]);
            let op = StepOp::Delete {
                targets: targets.to_vec(),
            };
            let id = self.push(number, change, op, before);
            for target in targets {
                self.touches
                    .entry((&change.site, &target.id))
                    .or_default()
                    .push(id);
            }
            deletes.push(id);
        }
        deletes
    }

    /// What has to be done to a thing before it can be deleted.
    fn let_go(&mut self, number: usize, change: &'a Change, target: &'a TargetRef) -> Vec<StepId> {
        let target_ref = target.clone();
        let op = if self.circles.contains_key(&(&change.site, &target.id)) {
            StepOp::ClearRules { target: target_ref }
        } else if self.stays_attached(change, target) {
            StepOp::Detach { target: target_ref }
        } else {
            return Vec::new();
        };
        let id = self.push(number, change, op, Vec::new());
        self.touches
            .entry((&change.site, &target.id))
            .or_default()
            .push(id);
        vec![id]
    }

    /// Whether a volume must be let go before it is deleted: not if its machine goes too.
    fn stays_attached(&self, change: &Change, target: &TargetRef) -> bool {
        let found = self
            .index
            .by_id(&change.site, &target.id)
            .map(|found| &found.spec);
        let Some(Spec::Volume(volume)) = found else {
            return false;
        };
        let Some(machine) = &volume.attach else {
            return false;
        };
        !self.machines_that_go.contains(&(&change.site, machine))
    }
}

/// The steps that make what a change's goals say.
struct Made {
    creates: Vec<StepId>,
    /// Also what is done to it right after.
    all: Vec<StepId>,
}

fn machines_that_go(plan: &Plan) -> FxHashSet<(&Name, &ResourceId)> {
    let goes = |change: &&Change| {
        change.kind == Kind::Machine && matches!(change.action, Action::Delete | Action::Replace)
    };
    plan.changes
        .iter()
        .filter(goes)
        .flat_map(|change| {
            change
                .targets
                .iter()
                .map(move |target| (&change.site, &target.id))
        })
        .collect()
}

/// The machine that a volume or address is attached to.
pub(crate) fn attachment<R: Ord>(spec: &Spec<R>) -> Option<&R> {
    match spec {
        Spec::Volume(volume) => volume.attach.as_ref(),
        Spec::Address(address) => address.attach.as_ref(),
        _ => None,
    }
}

/// Whether a change's deletes give way to creates of the same block elsewhere: a fleet that shrinks
/// here and grows there, a machine that moves.
fn moves(change: &Change) -> bool {
    matches!(change.addr.local.noun, Noun::Machines | Noun::Machine)
        && change.action == Action::Delete
}
