//! What comes before what.

use crate::step::{StepGraph, StepId};

/// For each step, all that is done before it begins.
#[derive(Debug)]
pub(super) struct Order {
    /// A step's number, and before it in this order all that comes before it.
    sorted: Vec<StepId>,
    before: Vec<Bits>,
}

/// A set of steps, by number.
#[derive(Debug, Clone)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn none(steps: usize) -> Self {
        Self(vec![0; steps.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, id: StepId) {
        self.0[id.index() / 64] |= 1 << (id.index() % 64);
    }

    pub(super) fn has(&self, id: StepId) -> bool {
        self.0[id.index() / 64] & (1 << (id.index() % 64)) != 0
    }

    fn take(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }
}

impl Order {
    /// The order of a graph; `None` where steps wait for each other.
    pub(super) fn of(graph: &StepGraph) -> Option<Self> {
        let count = graph.steps.len();
        let mut waits: Vec<usize> = vec![0; count];
        let mut behind: Vec<Vec<StepId>> = vec![Vec::new(); count];
        for step in &graph.steps {
            for dep in graph.deps(step) {
                waits[step.id.index()] += 1;
                behind[dep.index()].push(step.id);
            }
        }
        let ready = graph.steps.iter().map(|step| step.id);
        let mut sorted: Vec<StepId> = ready.filter(|id| waits[id.index()] == 0).collect();
        let mut before: Vec<Bits> = vec![Bits::none(count); count];
        let mut next = 0;
        while let Some(id) = sorted.get(next).copied() {
            next += 1;
            let mut done = before[id.index()].clone();
            done.insert(id);
            for later in &behind[id.index()] {
                before[later.index()].take(&done);
                waits[later.index()] -= 1;
                if waits[later.index()] == 0 {
                    sorted.push(*later);
                }
            }
        }
        (sorted.len() == count).then_some(Self { sorted, before })
    }

    /// Whether `first` is done before `second` begins.
    pub(super) fn is_before(&self, first: StepId, second: StepId) -> bool {
        self.before[second.index()].has(first)
    }

    /// All steps, each after what comes before it.
    pub(super) fn sorted(&self) -> &[StepId] {
        &self.sorted
    }
}
