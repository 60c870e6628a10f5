//! What steps wait for: what their goal refers to, and what must be done before it. Where many wait
//! for many, they wait for one point at which those come together.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;
use strat_model::{Addr, Field, Kind, LocalAddr, Name, Noun};

use super::{Lowering, attachment};
use crate::Dependency;
use crate::dependency::covers;
use crate::plan::Plan;
use crate::step::{Join, JoinId, Step, StepId, StepOp};

/// The points at which waits come together, so that N steps which wait for M are N + M waits.
pub(super) struct Joins<'a> {
    pub(super) joins: Vec<Join>,
    made: FxHashMap<(Set<'a>, Which), Point>,
    /// The addresses that the plan changes, by block, each once.
    blocks: FxHashMap<(Noun, &'a Name), Vec<&'a Addr>>,
    /// How many changes share dependencies of which several are named one by one, by their place
    /// in memory.
    sharing: FxHashMap<*const Dependency, u32>,
}

/// What is waited for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Set<'a> {
    /// All steps of one address.
    One(&'a Addr),
    /// All places of a block or of an instance.
    All(&'a LocalAddr),
    /// What several changes name one by one, and share.
    Shared(*const Dependency),
}

/// What has to be done to what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    /// It is as it is to be.
    Done,
    /// The same, but for what goes before its successor is made.
    Staying,
    /// The same, but a firewall need only be there to be named; its rules may come later.
    Made,
}

/// Where the steps of a set come together.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// There is none.
    Nothing,
    /// There is one.
    Step(StepId),
    Join(JoinId),
}

/// What a step waits for.
#[derive(Default)]
struct Waits {
    deps: Vec<StepId>,
    /// Those of them that give way where they lead in a circle.
    soft: Vec<StepId>,
    joins: Vec<JoinId>,
}

/// A step that waits, and what it does not wait for.
struct Waiting<'a> {
    own: &'a Addr,
    /// A machine for which only the step that attaches to it waits.
    attach: Option<&'a Addr>,
    /// Firewalls that are named in rules which are left out for now.
    without: Vec<Addr>,
    /// Whether all is left out that goes before its successor is made.
    staying: bool,
}

impl Waiting<'_> {
    fn which(&self) -> Which {
        if self.own.kind() == Kind::Firewall {
            Which::Made
        } else if self.staying {
            Which::Staying
        } else {
            Which::Done
        }
    }

    /// Whether it must not wait for all of a set.
    fn is_apart(&self, holds: impl Fn(&Addr) -> bool) -> bool {
        holds(self.own) || self.without.iter().any(holds)
    }
}

impl<'a> Joins<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut joins = Self {
            joins: Vec::new(),
            made: FxHashMap::default(),
            blocks: FxHashMap::default(),
            sharing: FxHashMap::default(),
        };
        for change in &plan.changes {
            let block = (change.addr.local.noun, &change.addr.local.name);
            let addrs = joins.blocks.entry(block).or_default();
            // Sorted, so that several changes of one address follow each other.
            if addrs.last() != Some(&&change.addr) {
                addrs.push(&change.addr);
            }
            // What is named one by one comes first.
            if let [Dependency::One(_), Dependency::One(_), ..] = &*change.depends_on {
                let place = change.depends_on.as_ptr();
                *joins.sharing.entry(place).or_default() += 1;
            }
        }
        joins
    }

    /// The addresses that the plan changes of those that `all` stands for.
    fn places<'s>(&'s self, all: &'s LocalAddr) -> impl Iterator<Item = &'a Addr> + use<'a, 's> {
        let addrs = self.blocks.get(&(all.noun, &all.name));
        let addrs = addrs.into_iter().flatten().copied();
        addrs.filter(move |addr| covers(all, addr))
    }

    /// A point at which some steps come together.
    pub(super) fn join(&mut self, deps: Vec<StepId>) -> JoinId {
        let id = JoinId(u32::try_from(self.joins.len()).unwrap_or(u32::MAX));
        self.joins.push(Join { deps });
        id
    }
}

impl<'a> Lowering<'a> {
    /// Makes every step of a goal wait for what the goal refers to, and for what must be done
    /// before it.
    pub(super) fn wait_for_references(&mut self) {
        for number in 0..self.steps.len() {
            let waits = self.waits(number);
            let step = &mut self.steps[number];
            let soft = waits.soft.into_iter().map(|dep| (step.id, dep));
            self.soft.steps.extend(soft);
            step.deps.extend(waits.deps);
            step.joins.extend(waits.joins);
        }
    }

    /// Makes some steps wait for all of some others: at one point, if both are several.
    pub(super) fn wait_for_all(&mut self, waiting: &[StepId], before: &[StepId]) -> Option<JoinId> {
        let several = waiting.len() > 1 && before.len() > 1;
        let join = several.then(|| self.joins.join(before.to_vec()));
        for id in waiting {
            let step = &mut self.steps[id.index()];
            match join {
                Some(join) => step.joins.push(join),
                None => step.deps.extend(before),
            }
        }
        join
    }

    /// The same for the sake of order alone: where it leads in a circle, it gives way.
    pub(super) fn wait_softly_for_all(&mut self, waiting: &[StepId], before: &[StepId]) {
        let join = self.wait_for_all(waiting, before);
        for id in waiting {
            match join {
                Some(join) => self.soft.joins.extend([(*id, join)]),
                None => self.soft.steps.extend(before.iter().map(|dep| (*id, *dep))),
            }
        }
    }

    fn waits(&mut self, number: usize) -> Waits {
        let mut waits = Waits::default();
        let plan = self.plan;
        let step = &self.steps[number];
        let change = &plan.changes[step.change];
        let (goal, attached) = match &step.op {
            StepOp::Create { goal, .. }
            | StepOp::Update { goal, .. }
            | StepOp::Restart { goal, .. } => (*goal, false),
            StepOp::Attach { goal, .. } => (*goal, true),
            // The old machine keeps its volume until the new one is there.
            StepOp::Detach { .. } => (0, true),
            StepOp::Rename { .. }
            | StepOp::Release { .. }
            | StepOp::ClearRules { .. }
            | StepOp::Stop { .. }
            | StepOp::Start { .. }
            | StepOp::Probe { .. }
            | StepOp::Delete { .. } => return waits,
        };
        let Some(goal) = change.goals.get(goal) else {
            return waits;
        };
        let staying = lets_go(step);
        if staying && (plan.tight.contains(&step.site) || self.is_crowded(&step.site)) {
            return waits;
        }
        let waiting = Waiting {
            own: &change.addr,
            attach: attachment(&goal.spec).filter(|_| !attached),
            without: match &step.op {
                StepOp::Create { without, .. } => without.clone(),
                _ => Vec::new(),
            },
            staying,
        };
        goal.spec.for_each_ref(|addr| {
            let first = waits.deps.len();
            waits.deps.extend(self.one(&waiting, addr));
            // New rules may name what is to be made after who is behind the firewall.
            if addr.kind() == Kind::Firewall {
                let updates = waits.deps[first..].iter().copied();
                let updates = updates.filter(|dep| self.updates(*dep));
                waits.soft.extend(updates);
            }
        });
        self.wait_for(&waiting, &change.depends_on, &mut waits);
        waits
    }

    fn updates(&self, step: StepId) -> bool {
        matches!(self.steps[step.index()].op, StepOp::Update { .. })
    }

    /// Waits for what must be done before a change.
    fn wait_for(&mut self, waiting: &Waiting<'a>, before: &'a [Dependency], waits: &mut Waits) {
        let place = before.as_ptr();
        let sharing = self.joins.sharing.get(&place).copied().unwrap_or(0);
        if sharing > 1 && !waiting.is_apart(|addr| names(before, addr)) {
            let addrs = |_: &Self| ones(before).collect();
            let point = self.point(Set::Shared(place), waiting.which(), addrs);
            waits.push(point);
        } else {
            for addr in ones(before) {
                if self.waits_for(waiting, addr) {
                    let point = self.point(Set::One(addr), waiting.which(), |_| vec![addr]);
                    waits.push(point);
                }
            }
        }
        for dependency in before {
            let Dependency::All(all) = dependency else {
                continue;
            };
            if waiting.is_apart(|addr| covers(all, addr)) {
                let places = self.joins.places(all);
                let steps = places.flat_map(|addr| self.one(waiting, addr));
                waits.deps.extend(steps);
            } else {
                let addrs = |lowering: &Self| lowering.joins.places(all).collect();
                let point = self.point(Set::All(all), waiting.which(), addrs);
                waits.push(point);
            }
        }
    }

    /// The steps of one address, if it is waited for.
    fn one(&self, waiting: &Waiting<'a>, addr: &Addr) -> impl Iterator<Item = StepId> {
        let waits = self.waits_for(waiting, addr);
        let steps = waits.then(|| self.steps_of(addr, waiting.which()));
        steps.into_iter().flatten().copied()
    }

    fn waits_for(&self, waiting: &Waiting<'a>, addr: &Addr) -> bool {
        addr != waiting.own && Some(addr) != waiting.attach && !waiting.without.contains(addr)
    }

    fn steps_of(&self, addr: &Addr, which: Which) -> &[StepId] {
        let steps = match which {
            Which::Made if addr.kind() == Kind::Firewall => self.creates.get(addr),
            Which::Staying if self.destroy_first.contains(addr) => None,
            Which::Made | Which::Staying | Which::Done => self.provides.get(addr),
        };
        steps.map_or(&[], Vec::as_slice)
    }

    /// Where the steps of a set come together. It is made once.
    fn point(
        &mut self,
        set: Set<'a>,
        which: Which,
        addrs: impl FnOnce(&Self) -> Vec<&'a Addr>,
    ) -> Point {
        if let Some(point) = self.joins.made.get(&(set, which)) {
            return *point;
        }
        let steps = addrs(self).into_iter();
        let steps = steps.flat_map(|addr| self.steps_of(addr, which));
        let steps: Vec<StepId> = steps.copied().collect();
        let point = match steps.as_slice() {
            [] => Point::Nothing,
            [one] => Point::Step(*one),
            _ => Point::Join(self.joins.join(steps)),
        };
        self.joins.made.insert((set, which), point);
        point
    }
}

impl Waits {
    fn push(&mut self, point: Point) {
        match point {
            Point::Nothing => {}
            Point::Step(id) => self.deps.push(id),
            Point::Join(id) => self.joins.push(id),
        }
    }
}

/// Whether a step lets go of a machine, or precedes the step that does: what waits for it to be
/// gone waits for this step.
fn lets_go(step: &Step) -> bool {
    match &step.op {
        StepOp::Detach { .. } => true,
        StepOp::Update { target, .. } => {
            let target = target.as_ref();
            target.is_some_and(|target| target.fields.contains(&Field::Attach))
        }
        _ => false,
    }
}

/// What dependencies name one by one.
fn ones(before: &[Dependency]) -> impl Iterator<Item = &Addr> {
    before.iter().filter_map(|dependency| match dependency {
        Dependency::One(addr) => Some(addr),
        Dependency::All(_) => None,
    })
}

/// Whether dependencies, sorted, name an address.
fn names(before: &[Dependency], addr: &Addr) -> bool {
    let found = before.binary_search_by(|dependency| match dependency {
        Dependency::One(one) => one.cmp(addr),
        Dependency::All(_) => Ordering::Greater,
    });
    found.is_ok()
}
