//! A second look at a plan and its steps, by rules that know nothing of how they were made.
//!
//! Whoever makes a plan by other rules, or changes those there are, is told here what must hold of
//! every plan. It reads a plan once more than is needed to apply it, so it runs in tests and in debug
//! builds.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Addr, Inventory, Kind, Name, Noun, Resource, ResourceId, SiteFacts, Spec};

use crate::lower::users;
use crate::plan::{Action, Change, Plan};
use crate::step::{Step, StepGraph, StepId, StepOp};

mod order;
mod room;

use order::Order;

/// Up to how many steps it is looked at what comes before what: the time for it grows with their
/// square.
const ORDERED_MAX: usize = 4096;

/// What must hold of every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlanRule {
    /// Every step is part of a change and comes after steps that there are, in no circle.
    WellFormed,
    /// What is made or changed comes after what it refers to is made.
    ReferencesFirst,
    /// What is deleted comes after what refers to it is deleted, or led elsewhere.
    UsersFirst,
    /// What is deleted carries our mark for that address, and is the thing that was seen.
    TwoKeys,
    /// What is protected is not deleted, unless the plan says that a protection forbids it.
    Protected,
    /// No address is made twice, and no thing is changed by two changes.
    Once,
    /// Owned hardware has room, and a subnet addresses, for all that is there at any moment.
    Room,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanFault {
    /// What does not hold.
    pub rule: PlanRule,
    /// Of what, in a sentence.
    pub what: String,
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// What does not hold of a plan and the steps that it was turned into. `inventory` and `facts` are
/// those that it was made from.
#[must_use]
pub fn lint(
    plan: &Plan,
    graph: &StepGraph,
    inventory: &Inventory,
    facts: &std::collections::BTreeMap<Name, SiteFacts>,
) -> Vec<PlanFault> {
    let mut lint = Lint {
        plan,
        graph,
        seen: inventory
            .resources()
            .map(|(site, resource)| ((site, &resource.id), resource))
            .collect(),
        faults: Vec::new(),
    };
    lint.once();
    lint.keys();
    if !lint.is_well_formed() || graph.steps.len() > ORDERED_MAX {
        return lint.faults;
    }
    let Some(order) = Order::of(graph) else {
        lint.fault(
            PlanRule::WellFormed,
            "the steps wait for each other".to_owned(),
        );
        return lint.faults;
    };
    lint.references_first(&order);
    lint.users_first(&order, inventory);
    for (site, facts) in facts {
        let full = room::exceeded(site, facts, &lint.seen, plan, graph, &order);
        if let Some(what) = full {
            lint.fault(PlanRule::Room, what);
        }
        for what in room::crowded(site, facts, &lint.seen, plan, graph, &order) {
            lint.fault(PlanRule::Room, what);
        }
    }
    lint.faults
}

/// What was seen, by site and id.
type Seen<'a> = FxHashMap<(&'a Name, &'a ResourceId), &'a Resource>;

struct Lint<'a> {
    plan: &'a Plan,
    graph: &'a StepGraph,
    seen: Seen<'a>,
    faults: Vec<PlanFault>,
}

impl<'a> Lint<'a> {
    fn fault(&mut self, rule: PlanRule, what: String) {
        self.faults.push(PlanFault { rule, what });
    }

    fn change(&self, step: &Step) -> &'a Change {
        &self.plan.changes[step.change]
    }

    fn once(&mut self) {
        let plan = self.plan;
        let mut makers: FxHashSet<&Addr> = FxHashSet::default();
        let mut targets: FxHashSet<(&Name, &ResourceId)> = FxHashSet::default();
        for change in &plan.changes {
            let makes = matches!(change.action, Action::Create | Action::Replace);
            let single = change.addr.local.noun != Noun::Machines;
            if makes && single && !makers.insert(&change.addr) {
                self.fault(PlanRule::Once, format!("{} is made twice", change.addr));
            }
            for target in &change.targets {
                if !targets.insert((&change.site, &target.id)) {
                    let what = format!("{} {} is in two changes", change.kind, target.id);
                    self.fault(PlanRule::Once, what);
                }
            }
        }
        let mut tokens = FxHashSet::default();
        for step in &self.graph.steps {
            if let StepOp::Create {
                generation, part, ..
            } = &step.op
                && !tokens.insert((&step.addr, *generation, *part))
            {
                let what = format!("two batches of {} would have one token", step.addr);
                self.fault(PlanRule::Once, what);
            }
        }
    }

    /// What is said to be deleted is what was seen, is ours, and is not protected.
    fn keys(&mut self) {
        let plan = self.plan;
        let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace);
        for change in plan.changes.iter().filter(goes) {
            for target in &change.targets {
                let name = format!("{} {} at {}", change.kind, target.id, change.site);
                let Some(seen) = self.seen.get(&(&change.site, &target.id)).copied() else {
                    self.fault(PlanRule::TwoKeys, format!("{name} goes and was not seen"));
                    continue;
                };
                if seen.fingerprint() != target.fingerprint {
                    self.fault(
                        PlanRule::TwoKeys,
                        format!("{name} goes and is not as it was seen"),
                    );
                }
                let mark = seen.mark.as_ref();
                let is_ours = mark
                    .is_some_and(|mark| mark.owner == plan.topology && mark.addr == change.addr);
                if !is_ours {
                    let what = format!("{name} goes, and its mark does not say that it is ours");
                    self.fault(PlanRule::TwoKeys, what);
                }
                if mark.is_some_and(|mark| mark.protect) && !change.protected {
                    self.fault(PlanRule::Protected, format!("{name} goes and is protected"));
                }
            }
        }
    }

    fn is_well_formed(&mut self) -> bool {
        let (plan, graph) = (self.plan, self.graph);
        let before = self.faults.len();
        let exists = |id: &StepId| id.index() < graph.steps.len();
        for (number, step) in graph.steps.iter().enumerate() {
            let joined = step.joins.iter();
            let joins = joined.map(|id| graph.joins.get(id.index()));
            let whole = step.id.index() == number
                && step.change < plan.changes.len()
                && step.deps.iter().all(exists)
                && joins
                    .clone()
                    .all(|join| join.is_some_and(|join| join.deps.iter().all(exists)));
            if !whole {
                let what = format!("step {number} ({}) refers to what is not there", step.addr);
                self.fault(PlanRule::WellFormed, what);
            }
        }
        self.faults.len() == before
    }

    fn references_first(&mut self, order: &Order) {
        let graph = self.graph;
        let mut creates: FxHashMap<&Addr, Vec<StepId>> = FxHashMap::default();
        for step in &graph.steps {
            if matches!(step.op, StepOp::Create { .. }) {
                creates.entry(&step.addr).or_default().push(step.id);
            }
        }
        for step in &graph.steps {
            let (goal, attaches) = match &step.op {
                StepOp::Create { goal, .. }
                | StepOp::Update { goal, .. }
                | StepOp::Restart { goal, .. } => (*goal, false),
                StepOp::Attach { goal, .. } => (*goal, true),
                _ => continue,
            };
            let Some(goal) = self.change(step).goals.get(goal) else {
                let what = format!("{} has no goal {goal}", step.addr);
                self.fault(PlanRule::WellFormed, what);
                continue;
            };
            let left_out: &[Addr] = match &step.op {
                StepOp::Create { without, .. } => without,
                _ => &[],
            };
            // It is attached in a step of its own.
            let attached = attached_to(&goal.spec).filter(|_| !attaches);
            let mut late = Vec::new();
            goal.spec.for_each_ref(|addr| {
                if *addr == step.addr || Some(addr) == attached || left_out.contains(addr) {
                    return;
                }
                let made = creates.get(addr).into_iter().flatten();
                let mut made = made.filter(|id| !order.is_before(**id, step.id));
                if made.next().is_some() {
                    late.push(format!("{} may come before {addr} is made", step.addr));
                }
            });
            for what in late {
                self.fault(PlanRule::ReferencesFirst, what);
            }
        }
    }

    fn users_first(&mut self, order: &Order, inventory: &Inventory) {
        let graph = self.graph;
        // The steps after which a thing does not refer to anything any more, or to something else.
        let mut lets_go: FxHashMap<(&Name, &ResourceId), Vec<StepId>> = FxHashMap::default();
        for step in &graph.steps {
            let targets = match &step.op {
                StepOp::Delete { targets } => targets.as_slice(),
                StepOp::ClearRules { target } => std::slice::from_ref(target),
                StepOp::Update { target, .. } => target.as_slice(),
                StepOp::Restart { target, .. } => std::slice::from_ref(target),
                _ => &[],
            };
            for target in targets {
                let steps = lets_go.entry((&step.site, &target.id)).or_default();
                steps.push(step.id);
            }
        }
        let users = users(inventory);
        for step in &graph.steps {
            let StepOp::Delete { targets } = &step.op else {
                continue;
            };
            for target in targets {
                let used_by = users.get(&(&step.site, &target.id));
                for user in used_by.into_iter().flatten() {
                    let Some(steps) = lets_go.get(&(&step.site, *user)) else {
                        continue;
                    };
                    let mut before = steps.iter();
                    let goes_along = steps.contains(&step.id);
                    if !goes_along && !before.any(|id| order.is_before(*id, step.id)) {
                        let what = format!("{} may go before {user}, which uses it", target.id);
                        self.fault(PlanRule::UsersFirst, what);
                    }
                }
            }
        }
    }
}

/// The machine that a volume or address is attached to.
fn attached_to<R: Ord>(spec: &Spec<R>) -> Option<&R> {
    match spec {
        Spec::Volume(volume) => volume.attach.as_ref(),
        Spec::Address(address) => address.attach.as_ref(),
        _ => None,
    }
}

/// Whether a thing takes of what a site's hardware has.
const fn takes_room(kind: Kind) -> bool {
    matches!(kind, Kind::Machine)
}
