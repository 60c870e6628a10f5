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
    debug_assert!(order.is_ok(), "the steps wait for each other in a circle");
    for node in order.unwrap_or_default().into_iter().rev() {
        let behind = graph
            .neighbors(node)
            .map(|next| steps[next.index()].height)
            .max();
        steps[node.index()].height = behind.unwrap_or(0) + 1;
    }
    StepGraph { steps }
}
