//! Which step is next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use strat_model::{Kind, Name};
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

/// The ready steps of one lane, those that most others wait for first.
type Queue = BTreeSet<(Reverse<u32>, StepId)>;

/// A site and a kind of thing: what a cloud meters apart. A call that the throttle holds back keeps
/// its slot, so without a share of its own a lane would stand still behind another's limit.
type Lane<'a> = (&'a Name, Kind);

/// A step, or by a number beyond those of the steps a join, which is done as soon as the steps
/// behind it are.
type Node = usize;

/// Every step's status, and the ready ones in order.
#[derive(Debug)]
pub(super) struct Schedule<'a> {
    graph: &'a StepGraph,
    /// By node.
    status: Vec<Status>,
    /// By node.
    dependents: Vec<Vec<Node>>,
    /// The lanes in which a step is ready.
    ready: BTreeMap<Lane<'a>, Queue>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(graph: &'a StepGraph) -> Self {
        let steps = graph.steps.len();
        let mut dependents: Vec<Vec<Node>> = vec![Vec::new(); steps + graph.joins.len()];
        let mut status = Vec::with_capacity(dependents.len());
        for (node, step) in graph.steps.iter().enumerate() {
            let joins = step.joins.iter().map(|join| steps + join.index());
            for before in step.deps.iter().map(|dep| dep.index()).chain(joins) {
                dependents[before].push(node);
            }
            status.push(Status::Blocked(step.deps.len() + step.joins.len()));
        }
        for (number, join) in graph.joins.iter().enumerate() {
            for dep in &join.deps {
                dependents[dep.index()].push(steps + number);
            }
            status.push(Status::Blocked(join.deps.len()));
        }
        let mut schedule = Self {
            graph,
            status,
            dependents,
            ready: BTreeMap::new(),
        };
        let free = (0..schedule.status.len()).filter(|node| schedule.is_free(*node));
        for node in free.collect::<Vec<_>>() {
            schedule.begin(node);
        }
        schedule
    }

    fn is_free(&self, node: Node) -> bool {
        self.status[node] == Status::Blocked(0)
    }

    /// Nothing is left to be done before a node: a step is ready, a join is done.
    fn begin(&mut self, node: Node) {
        let Some(step) = self.graph.steps.get(node) else {
            self.node_done(node);
            return;
        };
        self.status[node] = Status::Ready;
        let queue = self.ready.entry((&step.site, step.kind)).or_default();
        queue.insert((Reverse(step.height), step.id));
    }

    /// Takes the ready step that most others wait for, of those sites that have a free slot: first
    /// in the lanes that have less than their share of them.
    pub(super) fn take(&mut self, slots: &Arc<Slots>) -> Option<(StepId, Slot)> {
        if slots.are_taken() {
            return None;
        }
        let heads = self.ready.iter();
        let heads = heads.filter_map(|(lane, queue)| Some((*queue.first()?, *lane)));
        let mut heads = slots.by_share(heads.collect());
        heads.sort_unstable();
        for (_, head, lane) in heads {
            if let Some(slot) = slots.take(lane) {
                self.unready(lane, head);
                self.status[head.1.index()] = Status::Running;
                return Some((head.1, slot));
            }
        }
        None
    }

    fn unready(&mut self, lane: Lane<'a>, step: (Reverse<u32>, StepId)) {
        if let Some(queue) = self.ready.get_mut(&lane) {
            queue.remove(&step);
            if queue.is_empty() {
                self.ready.remove(&lane);
            }
        }
    }

    /// A step is done: what waited for it alone is ready.
    pub(super) fn done(&mut self, id: StepId) {
        self.node_done(id.index());
    }

    /// No join waits for a join, so this calls itself no deeper than once.
    fn node_done(&mut self, node: Node) {
        self.status[node] = Status::Done;
        for next in std::mem::take(&mut self.dependents[node]) {
            if let Status::Blocked(deps) = &mut self.status[next] {
                *deps -= 1;
                if self.is_free(next) {
                    self.begin(next);
                }
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
        self.ready.retain(|(lane, _), _| *lane != site);
        let here = self.graph.steps.iter().filter(|step| step.site == *site);
        self.skip(here.map(|step| step.id.index()).collect())
    }

    fn skip(&mut self, mut todo: Vec<Node>) -> Vec<StepId> {
        let mut skipped = Vec::new();
        while let Some(node) = todo.pop() {
            let status = &mut self.status[node];
            if matches!(status, Status::Blocked(_) | Status::Ready) {
                *status = Status::Skipped;
                if let Some(step) = self.graph.steps.get(node) {
                    self.unready((&step.site, step.kind), (Reverse(step.height), step.id));
                    skipped.push(step.id);
                }
                todo.append(&mut self.dependents[node]);
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
    /// Those with any.
    lanes: BTreeMap<(Name, Kind), usize>,
}

/// The right to have calls in flight. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    lane: (Name, Kind),
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

    fn are_taken(&self) -> bool {
        lock(&self.used).all >= self.max
    }

    /// Says of each lane with a step to begin whether it has its share already: as many slots as
    /// each of those with work, in all and at its site.
    fn by_share<'a, T>(&self, heads: Vec<(T, Lane<'a>)>) -> Vec<(bool, T, Lane<'a>)> {
        let used = lock(&self.used);
        let waiting: BTreeSet<Lane<'_>> = heads.iter().map(|(_, lane)| *lane).collect();
        let mut at_site: BTreeMap<&Name, usize> = BTreeMap::new();
        let running = used.lanes.keys().map(|(site, kind)| (site, *kind));
        for (site, _) in running.chain(waiting).collect::<BTreeSet<_>>() {
            *at_site.entry(site).or_default() += 1;
        }
        let all: usize = at_site.values().sum();
        let share = |site| {
            let here = at_site.get(site).copied().unwrap_or(0);
            let shares = (self.max / all.max(1)).min(self.site_max / here.max(1));
            shares.max(1)
        };
        let heads = heads.into_iter().map(|(head, lane)| {
            let mine = used.lanes.get(&(lane.0.clone(), lane.1));
            (mine.copied().unwrap_or(0) >= share(lane.0), head, lane)
        });
        heads.collect()
    }

    fn take(self: &Arc<Self>, (site, kind): Lane<'_>) -> Option<Slot> {
        let mut used = lock(&self.used);
        let here = used.sites.get(site).copied().unwrap_or(0);
        if used.all >= self.max || here >= self.site_max {
            return None;
        }
        used.all += 1;
        used.sites.insert(site.clone(), here + 1);
        let lane = (site.clone(), kind);
        *used.lanes.entry(lane.clone()).or_default() += 1;
        Some(Slot {
            slots: Arc::clone(self),
            lane,
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
        if let Some(here) = used.sites.get_mut(&self.lane.0) {
            *here -= 1;
        }
        if let Some(here) = used.lanes.get_mut(&self.lane) {
            *here -= 1;
            if *here == 0 {
                used.lanes.remove(&self.lane);
            }
        }
        drop(used);
        self.slots.freed.notify_one();
    }
}
