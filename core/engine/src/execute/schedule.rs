//! Which step is next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use strat_model::Name;
use strat_planner::{StepGraph, StepId};
use tokio::sync::Notify;

use crate::lock;

/// Where a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    /// So many steps have to be done before it.
    Blocked(usize),
    Ready,
    Running,
    Done,
    Failed,
    Skipped,
}

/// The ready steps of one site, those that most others wait for first.
type Queue = BTreeSet<(Reverse<u32>, StepId)>;

/// Every step's status, and the ready ones in order.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    graph: &'a StepGraph,
    status: Vec<Status>,
    dependents: Vec<Vec<StepId>>,
    ready: BTreeMap<&'a Name, Queue>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(graph: &'a StepGraph) -> Self {
        let mut dependents = vec![Vec::new(); graph.steps.len()];
        for step in &graph.steps {
            for dep in &step.deps {
                dependents[dep.index()].push(step.id);
            }
        }
        let blocked = |deps: &Vec<StepId>| Status::Blocked(deps.len());
        let mut schedule = Self {
            graph,
            status: graph.steps.iter().map(|step| blocked(&step.deps)).collect(),
            dependents,
            ready: BTreeMap::new(),
        };
        for step in &graph.steps {
            schedule.unblock_if_free(step.id);
        }
        schedule
    }

    fn unblock_if_free(&mut self, id: StepId) {
        if self.status[id.index()] == Status::Blocked(0) {
            self.status[id.index()] = Status::Ready;
            let step = &self.graph.steps[id.index()];
            let queue = self.ready.entry(&step.site).or_default();
            queue.insert((Reverse(step.height), id));
        }
    }

    /// Takes the ready step that most others wait for, of those sites for which `slot` gives one.
    pub(super) fn take<S>(
        &mut self,
        mut slot: impl FnMut(&Name) -> Option<S>,
    ) -> Option<(StepId, S)> {
        let mut heads: Vec<_> = self
            .ready
            .iter()
            .filter_map(|(site, queue)| Some((*queue.first()?, *site)))
            .collect();
        heads.sort_unstable();
        for (head, site) in heads {
            if let Some(slot) = slot(site) {
                if let Some(queue) = self.ready.get_mut(site) {
                    queue.remove(&head);
                }
                self.status[head.1.index()] = Status::Running;
                return Some((head.1, slot));
            }
        }
        None
    }

    /// A step is done: what waited for it alone is ready.
    pub(super) fn done(&mut self, id: StepId) {
        self.status[id.index()] = Status::Done;
        for next in std::mem::take(&mut self.dependents[id.index()]) {
            if let Status::Blocked(deps) = &mut self.status[next.index()] {
                *deps -= 1;
                self.unblock_if_free(next);
            }
        }
    }

    /// A step failed. Returns the steps that are left out because of it.
    pub(super) fn failed(&mut self, id: StepId) -> Vec<StepId> {
        self.status[id.index()] = Status::Failed;
        let dependents = std::mem::take(&mut self.dependents[id.index()]);
        self.skip(dependents)
    }

    /// Nothing more may be begun at a site. Returns the steps that are left out because of it.
    pub(super) fn close_site(&mut self, site: &Name) -> Vec<StepId> {
        self.ready.remove(site);
        let here = self.graph.steps.iter().filter(|step| step.site == *site);
        self.skip(here.map(|step| step.id).collect())
    }

    fn skip(&mut self, mut todo: Vec<StepId>) -> Vec<StepId> {
        let mut skipped = Vec::new();
        while let Some(id) = todo.pop() {
            let status = &mut self.status[id.index()];
            if matches!(status, Status::Blocked(_) | Status::Ready) {
                *status = Status::Skipped;
                let step = &self.graph.steps[id.index()];
                if let Some(queue) = self.ready.get_mut(&step.site) {
                    queue.remove(&(Reverse(step.height), id));
                }
                skipped.push(id);
                todo.append(&mut self.dependents[id.index()]);
            }
        }
        skipped.sort_unstable();
        skipped
    }
}

/// How many calls may be in flight, in all and at each site.
#[derive(Debug)]
pub(super) struct Slots {
    used: Mutex<Used>,
    max: usize,
    site_max: usize,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    sites: BTreeMap<Name, usize>,
}

/// The right to have calls in flight. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    site: Name,
}

impl Slots {
    pub(super) fn new(max: usize, site_max: usize) -> Arc<Self> {
        Arc::new(Self {
            used: Mutex::default(),
            max: max.max(1),
            site_max: site_max.max(1),
            freed: Notify::new(),
        })
    }

    pub(super) fn take(self: &Arc<Self>, site: &Name) -> Option<Slot> {
        let mut used = lock(&self.used);
        let here = used.sites.get(site).copied().unwrap_or(0);
        if used.all >= self.max || here >= self.site_max {
            return None;
        }
        used.all += 1;
        used.sites.insert(site.clone(), here + 1);
        Some(Slot {
            slots: Arc::clone(self),
            site: site.clone(),
        })
    }

    /// Returns once a slot was given back since the last time.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut used = lock(&self.slots.used);
        used.all -= 1;
        if let Some(here) = used.sites.get_mut(&self.site) {
            *here -= 1;
        }
        drop(used);
        self.slots.freed.notify_one();
    }
}
