//! The last touch on a graph of steps.

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::step::{Join, JoinId, Step, StepGraph, StepId};

/// What waits for what (the first for the second) only for the sake of order: where it leads in a
/// circle, it gives way.
#[derive(Debug, Default)]
pub(super) struct Soft {
    pub(super) steps: FxHashSet<(StepId, StepId)>,
    pub(super) joins: FxHashSet<(StepId, JoinId)>,
}

impl Soft {
    fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.joins.is_empty()
    }
}

/// The steps, then the joins.
type Graph = DiGraph<(), (), u32>;

/// Sorts what each step waits for, lets `soft` waits give way where they lead in a circle, and
/// measures the longest chain behind each step.
pub(super) fn finish(mut steps: Vec<Step>, mut joins: Vec<Join>, soft: &Soft) -> StepGraph {
    for step in &mut steps {
        let id = step.id;
        step.deps.sort_unstable();
        step.deps.dedup();
        step.deps.retain(|dep| *dep != id);
        step.joins.sort_unstable();
        step.joins.dedup();
    }
    for join in &mut joins {
        join.deps.sort_unstable();
        join.deps.dedup();
    }
    let mut graph = graph(&steps, &joins);
    let mut order = toposort(&graph, None);
    if order.is_err() && !soft.is_empty() {
        give_way(&mut steps, &mut joins, &graph, soft);
        graph = self::graph(&steps, &joins);
        order = toposort(&graph, None);
    }
    debug_assert!(
        order.is_ok(),
        "steps wait for each other: {:#?}",
        circle(&graph, &steps)
    );
    let mut heights = vec![0; graph.node_count()];
    for node in order.unwrap_or_default().into_iter().rev() {
        let behind = graph.neighbors(node).map(|next| heights[next.index()]);
        let behind = behind.max().unwrap_or(0);
        // A join is no link of the chain.
        let own = u32::from(node.index() < steps.len());
        heights[node.index()] = behind + own;
    }
    for (step, height) in steps.iter_mut().zip(heights) {
        step.height = height;
    }
    StepGraph { steps, joins }
}

fn graph(steps: &[Step], joins: &[Join]) -> Graph {
    let nodes = steps.len() + joins.len();
    let mut graph = Graph::with_capacity(nodes, nodes * 2);
    for _ in 0..nodes {
        graph.add_node(());
    }
    let join = |number: usize| NodeIndex::new(steps.len() + number);
    for step in steps {
        let node = NodeIndex::new(step.id.index());
        for dep in &step.deps {
            graph.add_edge(NodeIndex::new(dep.index()), node, ());
        }
        for id in &step.joins {
            graph.add_edge(join(id.index()), node, ());
        }
    }
    for (number, of) in joins.iter().enumerate() {
        for dep in &of.deps {
            graph.add_edge(NodeIndex::new(dep.index()), join(number), ());
        }
    }
    graph
}

/// Drops the soft waits inside of each circle. Of steps that are waited for together, those outside
/// of it still are.
fn give_way(steps: &mut [Step], joins: &mut Vec<Join>, graph: &Graph, soft: &Soft) {
    let mut of = vec![0; graph.node_count()];
    for (number, circle) in tarjan_scc(graph).into_iter().enumerate() {
        for node in circle {
            of[node.index()] = number;
        }
    }
    let first_join = steps.len();
    let mut outside: FxHashMap<(JoinId, usize), JoinId> = FxHashMap::default();
    for step in steps {
        let id = step.id;
        let circle = of[id.index()];
        step.deps
            .retain(|dep| of[dep.index()] != circle || !soft.steps.contains(&(id, *dep)));
        step.joins.retain_mut(|join| {
            if of[first_join + join.index()] == circle && soft.joins.contains(&(id, *join)) {
                *join = *outside.entry((*join, circle)).or_insert_with(|| {
                    let deps = joins[join.index()].deps.iter().copied();
                    let deps = deps.filter(|dep| of[dep.index()] != circle).collect();
                    joins.push(Join { deps });
                    JoinId(u32::try_from(joins.len() - 1).unwrap_or(u32::MAX))
                });
            }
            !joins[join.index()].deps.is_empty()
        });
        step.joins.sort_unstable();
    }
}

/// The steps of the first circle, for a test that fails.
fn circle<'a>(graph: &Graph, steps: &'a [Step]) -> Vec<(&'a Step, Vec<usize>)> {
    let first = tarjan_scc(graph)
        .into_iter()
        .find(|circle| circle.len() > 1)
        .unwrap_or_default();
    let inside = |step: &Step| {
        let deps = step.deps.iter().map(|dep| dep.index());
        deps.filter(|dep| first.contains(&NodeIndex::new(*dep)))
            .collect()
    };
    let inside_steps = first.iter().filter_map(|node| steps.get(node.index()));
    inside_steps.map(|step| (step, inside(step))).collect()
}
