//! The last touch on a graph of steps.

use std::collections::{HashMap, HashSet};

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::step::{Step, StepGraph, StepId};

/// Sorts what each step waits for, lets `soft` waits give way where they lead in a circle, and
/// measures the longest chain behind each step.
pub(super) fn finish(mut steps: Vec<Step>, soft: &HashSet<(StepId, StepId)>) -> StepGraph {
    for step in &mut steps {
        let id = step.id;
        step.deps.sort_unstable();
        step.deps.dedup();
        step.deps.retain(|dep| *dep != id);
    }
    let mut graph = graph(&steps);
    let mut order = toposort(&graph, None);
    if order.is_err() && !soft.is_empty() {
        give_way(&mut steps, &graph, soft);
        graph = self::graph(&steps);
        order = toposort(&graph, None);
    }
    debug_assert!(
        order.is_ok(),
        "steps wait for each other: {:#?}",
        circle(&graph, &steps)
    );
    for node in order.unwrap_or_default().into_iter().rev() {
        let behind = graph
            .neighbors(node)
            .map(|next| steps[next.index()].height)
            .max();
        steps[node.index()].height = behind.unwrap_or(0) + 1;
    }
    StepGraph { steps }
}

fn graph(steps: &[Step]) -> DiGraph<(), (), u32> {
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(steps.len(), steps.len() * 2);
    for _ in steps {
        graph.add_node(());
    }
    for step in steps {
        for dep in &step.deps {
            graph.add_edge(
                NodeIndex::new(dep.index()),
                NodeIndex::new(step.id.index()),
                (),
            );
        }
    }
    graph
}

/// Drops the soft waits inside of each circle.
fn give_way(steps: &mut [Step], graph: &DiGraph<(), (), u32>, soft: &HashSet<(StepId, StepId)>) {
    let mut of: HashMap<StepId, usize> = HashMap::new();
    for (number, circle) in petgraph::algo::tarjan_scc(graph).into_iter().enumerate() {
        for node in circle {
            of.insert(steps[node.index()].id, number);
        }
    }
    for step in steps {
        let id = step.id;
        step.deps
            .retain(|dep| of.get(dep) != of.get(&id) || !soft.contains(&(id, *dep)));
    }
}

/// The steps of the first circle, for a test that fails.
fn circle<'a>(graph: &DiGraph<(), (), u32>, steps: &'a [Step]) -> Vec<(&'a Step, Vec<usize>)> {
    let circles = petgraph::algo::tarjan_scc(graph);
    let first = circles
        .into_iter()
        .find(|circle| circle.len() > 1)
        .unwrap_or_default();
    let inside = |step: &Step| {
        let deps = step.deps.iter().map(|dep| dep.index());
        deps.filter(|dep| first.contains(&NodeIndex::new(*dep)))
            .collect()
    };
    first
        .iter()
        .map(|node| (&steps[node.index()], inside(&steps[node.index()])))
        .collect()
}
