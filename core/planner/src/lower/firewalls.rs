//! Firewalls that name each other, or themselves: one has to be first, and is made without the
//! rule that names what is not there yet.

use std::collections::{BTreeSet, HashMap};

use std::hash::Hash;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use strat_model::{Addr, Name, Peer, ResourceId, Spec};

use crate::plan::{Action, Plan};
use crate::{Dependency, InventoryIndex};

/// For each firewall that this plan makes and that is part of a circle, be it of rules alone or with
/// one that is to be made after it: the firewalls of the circle that its rules name.
pub(super) fn left_out(plan: &Plan) -> HashMap<&Addr, BTreeSet<Addr>> {
    let mut names: HashMap<&Addr, BTreeSet<&Addr>> = HashMap::new();
    let mut later = Vec::new();
    for change in &plan.changes {
        if matches!(change.action, Action::Create | Action::Replace) {
            for goal in &change.goals {
                if let Spec::Firewall(spec) = &goal.spec {
                    let peers = spec.rules.iter().flat_map(|rule| &rule.peers);
                    names.insert(&change.addr, peers.filter_map(Peer::firewall).collect());
                    later.extend((!change.depends_on.is_empty()).then_some(change));
                }
            }
        }
    }
    let mut blocks: HashMap<&Name, Vec<&Addr>> = HashMap::new();
    for addr in names.keys().filter(|_| !later.is_empty()) {
        blocks.entry(&addr.local.name).or_default().push(addr);
    }
    let mut waits = names.clone();
    for change in later {
        let waits = waits.entry(&change.addr).or_default();
        for dependency in change.depends_on.iter() {
            let block = match dependency {
                Dependency::One(addr) => &addr.local.name,
                Dependency::All(all) => &all.name,
            };
            let made = blocks.get(block).into_iter().flatten().copied();
            waits.extend(made.filter(|addr| dependency.covers(addr)));
        }
    }
    let circles = circles(&waits);
    let left_out = circles.iter().map(|(addr, circle)| {
        let inside = |named: &&&Addr| circles.get(**named) == Some(circle);
        let named = names[addr].iter().filter(inside);
        (*addr, named.map(|named| (*named).clone()).collect())
    });
    // One that only waits is made whole.
    left_out
        .filter(|(_, named): &(_, BTreeSet<Addr>)| !named.is_empty())
        .collect()
}

/// A firewall that there is.
type Found<'a> = (&'a Name, &'a ResourceId);

/// Which firewalls of those that this plan deletes name each other, as the number of their circle.
pub(super) fn deleted_circles<'a>(
    plan: &'a Plan,
    index: &InventoryIndex<'a>,
) -> HashMap<Found<'a>, usize> {
    let mut names: HashMap<Found<'_>, BTreeSet<Found<'_>>> = HashMap::new();
    for change in &plan.changes {
        if matches!(change.action, Action::Delete | Action::Replace) {
            for target in &change.targets {
                let found = index
                    .by_id(&change.site, &target.id)
                    .map(|found| &found.spec);
                if let Some(Spec::Firewall(spec)) = found {
                    let peers = spec.rules.iter().flat_map(|rule| &rule.peers);
                    let named = peers
                        .filter_map(Peer::firewall)
                        .filter(|named| **named != target.id);
                    let named = named.map(|named| (&change.site, named));
                    names.insert((&change.site, &target.id), named.collect());
                }
            }
        }
    }
    circles(&names)
}

/// The nodes that are part of a circle, be it with themselves alone, and the number of the circle.
fn circles<N: Copy + Eq + Hash + Ord>(names: &HashMap<N, BTreeSet<N>>) -> HashMap<N, usize> {
    let mut graph: DiGraph<N, ()> = DiGraph::new();
    let nodes: HashMap<N, NodeIndex> = names
        .keys()
        .map(|node| (*node, graph.add_node(*node)))
        .collect();
    for (from, named) in names {
        for to in named.iter().filter_map(|to| nodes.get(to)) {
            graph.add_edge(nodes[from], *to, ());
        }
    }
    let mut found = HashMap::new();
    for (number, circle) in tarjan_scc(&graph).into_iter().enumerate() {
        let alone = circle.len() == 1 && !graph.contains_edge(circle[0], circle[0]);
        if !alone {
            found.extend(circle.iter().map(|node| (graph[*node], number)));
        }
    }
    found
}
