//! Firewalls that name each other, or themselves: one has to be first, and is made without the
//! rule that names what is not there yet.

use std::collections::BTreeSet;

use std::hash::Hash;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;
use strat_model::{Addr, LocalAddr, Name, Noun, Peer, ResourceId, Spec};

use crate::dependency::covers;
use crate::plan::{Action, Change, Plan};
use crate::{Dependency, InventoryIndex};

/// For each firewall that this plan makes and that is part of a circle, be it of rules alone or with
/// what is to be made after it: the firewalls of the circle that its rules name.
pub(super) fn left_out(plan: &Plan) -> FxHashMap<&Addr, BTreeSet<Addr>> {
    let mut names: FxHashMap<&Addr, BTreeSet<&Addr>> = FxHashMap::default();
    let mut later = false;
    for change in made(plan) {
        for goal in &change.goals {
            if let Spec::Firewall(spec) = &goal.spec {
                let peers = spec.rules.iter().flat_map(|rule| &rule.peers);
                names.insert(&change.addr, peers.filter_map(Peer::firewall).collect());
                later |= !change.depends_on.is_empty();
            }
        }
    }
    let circles = if later {
        circles(&waits(plan, &names))
    } else {
        let rules = names.iter().map(|(addr, named)| {
            let named = named.iter().copied().map(Node::At);
            (Node::At(addr), named.collect())
        });
        circles(&rules.collect())
    };
    let left_out = names.iter().filter_map(|(addr, named)| {
        let circle = circles.get(&Node::At(addr))?;
        let inside = |named: &&&Addr| circles.get(&Node::At(named)) == Some(circle);
        let named = named.iter().filter(inside);
        Some((*addr, named.map(|named| (*named).clone()).collect()))
    });
    // One that only waits is made whole.
    left_out
        .filter(|(_, named): &(_, BTreeSet<Addr>)| !named.is_empty())
        .collect()
}

fn made(plan: &Plan) -> impl Iterator<Item = &Change> {
    let changes = plan.changes.iter();
    changes.filter(|change| matches!(change.action, Action::Create | Action::Replace))
}

/// What waits for something else, or is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Node<'a> {
    /// What is made at an address.
    At(&'a Addr),
    /// All that is made of a block, or of one of its instances.
    Whole(&'a LocalAddr),
    /// What changes that share their dependencies wait for, by those dependencies' place in memory.
    Before(*const Dependency),
}

/// What waits for what of all that the plan makes, as far as firewalls wait for it.
fn waits<'a>(
    plan: &'a Plan,
    names: &FxHashMap<&'a Addr, BTreeSet<&'a Addr>>,
) -> FxHashMap<Node<'a>, BTreeSet<Node<'a>>> {
    let mut changes: FxHashMap<&Addr, Vec<&Change>> = FxHashMap::default();
    let mut blocks: FxHashMap<(Noun, &Name), Vec<&Addr>> = FxHashMap::default();
    let mut shared: FxHashMap<*const Dependency, &'a [Dependency]> = FxHashMap::default();
    for change in made(plan) {
        changes.entry(&change.addr).or_default().push(change);
        let local = &change.addr.local;
        let block = blocks.entry((local.noun, &local.name)).or_default();
        block.push(&change.addr);
        shared.insert(change.depends_on.as_ptr(), &change.depends_on);
    }
    let mut waits: FxHashMap<Node<'a>, BTreeSet<Node<'a>>> = FxHashMap::default();
    let mut open: Vec<Node<'a>> = names.keys().copied().map(Node::At).collect();
    while let Some(node) = open.pop() {
        if waits.contains_key(&node) {
            continue;
        }
        let mut after = BTreeSet::new();
        match node {
            Node::At(addr) => {
                for change in changes.get(addr).into_iter().flatten() {
                    for goal in &change.goals {
                        goal.spec.for_each_ref(|addr| {
                            let made = changes.get_key_value::<Addr>(addr);
                            after.extend(made.map(|(addr, _)| Node::At(addr)));
                        });
                    }
                    if !change.depends_on.is_empty() {
                        after.insert(Node::Before(change.depends_on.as_ptr()));
                    }
                }
            }
            Node::Whole(all) => {
                let block = blocks.get(&(all.noun, &all.name));
                let places = block.into_iter().flatten().copied();
                after.extend(places.filter(|addr| covers(all, addr)).map(Node::At));
            }
            Node::Before(place) => {
                let before = shared.get(&place).copied().unwrap_or_default();
                after.extend(before.iter().map(|dependency| match dependency {
                    Dependency::One(addr) => Node::At(addr),
                    Dependency::All(all) => Node::Whole(all),
                }));
            }
        }
        open.extend(&after);
        waits.insert(node, after);
    }
    waits
}

/// A firewall that there is.
type Found<'a> = (&'a Name, &'a ResourceId);

/// Which firewalls of those that this plan deletes name each other, as the number of their circle.
pub(super) fn deleted_circles<'a>(
    plan: &'a Plan,
    index: &InventoryIndex<'a>,
) -> FxHashMap<Found<'a>, usize> {
    let mut names: FxHashMap<Found<'_>, BTreeSet<Found<'_>>> = FxHashMap::default();
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
fn circles<N: Copy + Eq + Hash + Ord>(names: &FxHashMap<N, BTreeSet<N>>) -> FxHashMap<N, usize> {
    let mut graph: DiGraph<N, ()> = DiGraph::new();
    let nodes: FxHashMap<N, NodeIndex> = names
        .keys()
        .map(|node| (*node, graph.add_node(*node)))
        .collect();
    for (from, named) in names {
        for to in named.iter().filter_map(|to| nodes.get(to)) {
            graph.add_edge(nodes[from], *to, ());
        }
    }
    let mut found = FxHashMap::default();
    for (number, circle) in tarjan_scc(&graph).into_iter().enumerate() {
        let alone = circle.len() == 1 && !graph.contains_edge(circle[0], circle[0]);
        if !alone {
            found.extend(circle.iter().map(|node| (graph[*node], number)));
        }
    }
    found
}
