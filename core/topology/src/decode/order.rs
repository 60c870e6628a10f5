//! Whether everything can be made in some order.

use std::collections::HashMap;

use strat_model::{AttachIntent, Common, Diagnostic, LocalAddr};

use super::Parts;
use crate::eval::Evaluator;

/// A thing, what must be done before it, and by which attribute it says so.
struct Node<'a> {
    common: &'a Common,
    after: Vec<(&'a LocalAddr, &'static str)>,
}

/// Reports every circle of things that wait for one another.
///
/// Rules between firewalls are left out: they are filled in once the firewalls are there.
pub(super) fn cycles(ev: &mut Evaluator<'_>, parts: &Parts) {
    let nodes = nodes(parts);
    let numbers: HashMap<&LocalAddr, usize> = nodes
        .iter()
        .enumerate()
        .map(|(at, node)| (&node.common.addr, at))
        .collect();
    let mut state = vec![State::New; nodes.len()];
    for start in 0..nodes.len() {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::Open;
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some((need, attribute)) = nodes[at].after.get(*next) else {
                state[at] = State::Done;
                path.pop();
                continue;
            };
            *next += 1;
            let Some(&to) = numbers.get(need) else {
                continue;
            };
            match state[to] {
                State::Done => {}
                State::New => {
                    state[to] = State::Open;
                    path.push((to, 0));
                }
                State::Open => {
                    let circle: Vec<usize> = path.iter().map(|(n, _)| *n).collect();
                    report(ev, &nodes, &circle, to, attribute);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

fn report(ev: &mut Evaluator<'_>, nodes: &[Node<'_>], path: &[usize], to: usize, attribute: &str) {
    let from = path.iter().position(|n| *n == to).unwrap_or(0);
    let circle = path[from..].iter().chain([&to]);
    let names: Vec<String> = circle
        .map(|n| format!("`{}`", nodes[*n].common.addr))
        .collect();
    let last = path.last().map_or(to, |n| *n);
    let common = nodes[last].common;
    ev.report(
        Diagnostic::error(
            "reference_cycle",
            format!("`{}` waits for itself", nodes[to].common.addr),
        )
        .at(common.origin(attribute), "this closes the circle")
        .help(format!("break the circle: {}", names.join(" -> "))),
    );
}

fn nodes(parts: &Parts) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    for network in &parts.networks {
        nodes.push(node(&network.common, vec![]));
    }
    for subnet in &parts.subnets {
        nodes.push(node(&subnet.common, vec![(&subnet.network, "network")]));
    }
    for firewall in &parts.firewalls {
        nodes.push(node(&firewall.common, vec![(&firewall.network, "network")]));
    }
    for address in &parts.addresses {
        nodes.push(node(&address.common, attached(&address.target)));
    }
    for keypair in &parts.keypairs {
        nodes.push(node(&keypair.common, vec![]));
    }
    for image in &parts.images {
        nodes.push(node(&image.common, vec![]));
    }
    for machine in &parts.machines {
        let mut refs = vec![(&machine.subnet, "subnet")];
        refs.extend(machine.firewalls.iter().map(|f| (f, "firewalls")));
        refs.extend(machine.keypair.iter().map(|k| (k, "keypair")));
        if let Err(image) = &machine.image {
            refs.push((image, "image"));
        }
        if let Some(data) = &machine.user_data {
            refs.extend(data.references().map(|(of, _)| (of, "user_data")));
        }
        nodes.push(node(&machine.common, refs));
    }
    for volume in &parts.volumes {
        nodes.push(node(&volume.common, attached(&volume.target)));
    }
    for bucket in &parts.buckets {
        nodes.push(node(&bucket.common, vec![]));
    }
    nodes
}

/// What is attached waits for its machine.
fn attached(target: &AttachIntent) -> Vec<(&LocalAddr, &'static str)> {
    match target {
        AttachIntent::Machine(machine) => vec![(machine, "attach")],
        AttachIntent::Site { .. } => vec![],
    }
}

fn node<'a>(common: &'a Common, mut after: Vec<(&'a LocalAddr, &'static str)>) -> Node<'a> {
    after.extend(common.depends_on.iter().map(|addr| (addr, "depends_on")));
    Node { common, after }
}
