//! The last touch on a graph of steps.

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::step::{Step, StepGraph};

/// Sorts what each step waits for, breaks no law if there is a circle (it drops the wait of the
/// later step on itself), and measures the longest chain behind each step.
pub(super) fn finish(mut steps: Vec<Step>) -> StepGraph {
    for step in &mut steps {
        let id = step.id;
        step.deps.sort_unstable();
        step.deps.dedup();
        step.deps.retain(|dep| *dep != id);
    }
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(steps.len(), steps.len() * 2);
    for _ in &steps {
        graph.add_node(());
    }
    for step in &steps {
        for dep in &step.deps {
            graph.add_edge(
                NodeIndex::new(dep.index()),
                NodeIndex::new(step.id.index()),
                (),
            );
        }
    }
    let order = toposort(&graph, None);
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
