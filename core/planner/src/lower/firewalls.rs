//! Firewalls that name each other, or themselves: one has to be first, and is made without the
//! rule that names what is not there yet.

use std::collections::{BTreeSet, HashMap};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use strat_model::{Addr, Spec};

use crate::plan::{Action, Plan};

/// For each firewall that this plan makes and that is part of a circle: the firewalls of the
/// circle that its rules name.
pub(super) fn left_out(plan: &Plan) -> HashMap<&Addr, BTreeSet<Addr>> {
    let mut graph: DiGraph<&Addr, ()> = DiGraph::new();
    let mut nodes: HashMap<&Addr, NodeIndex> = HashMap::new();
    let mut names: HashMap<&Addr, BTreeSet<Addr>> = HashMap::new();
    for change in &plan.changes {
        if !matches!(change.action, Action::Create | Action::Replace) {
            continue;
        }
        for goal in &change.goals {
            if let Spec::Firewall(spec) = &goal.spec {
                nodes.insert(&change.addr, graph.add_node(&change.addr));
                let peers = spec.rules.iter().flat_map(|rule| &rule.peers);
                let named = peers.filter_map(|peer| peer.firewall()).cloned();
                names.insert(&change.addr, named.collect());
            }
        }
    }
    for (addr, named) in &names {
        for other in named {
            if let Some(other) = nodes.get(other) {
                graph.add_edge(nodes[addr], *other, ());
            }
        }
    }
    let mut left_out = HashMap::new();
    for circle in tarjan_scc(&graph) {
        let members: BTreeSet<&Addr> = circle.iter().map(|node| graph[*node]).collect();
        for addr in &members {
            let inside: BTreeSet<Addr> = names[addr]
                .iter()
                .filter(|named| members.contains(named))
                .cloned()
                .collect();
            if !inside.is_empty() {
                left_out.insert(*addr, inside);
            }
        }
    }
    left_out
}
