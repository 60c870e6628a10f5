//! Whether everything can be made in some order.

use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use strat_model::{
    AttachIntent, Common, Diagnostic, Intent, LocalAddr, Name, Noun, Origins, UserData,
};

use crate::eval::Evaluator;

/// The most edges that are followed once a circle was found: what else there is to tell is there.
const MAX_AFTER_A_CIRCLE: usize = 1_000_000;

/// What is waited for.
#[derive(Debug, Clone, Copy)]
enum To {
    /// A thing.
    Node(usize),
    /// Several things, for which many may wait.
    Set(usize),
}

/// A thing, what must be done before it, and by which attribute it says so.
struct Node<'a> {
    common: &'a Common,
    after: Vec<(To, &'static str)>,
}

/// Reports every circle of things that wait for one another.
///
/// Rules between firewalls are left out: they are filled in once the firewalls are there.
pub(super) fn cycles(ev: &mut Evaluator<'_>, parts: &Intent) {
    if !may_close(parts) {
        return;
    }
    let graph = Graph::new(parts);
    let mut search = Search {
        state: vec![State::New; graph.nodes.len()],
        done: vec![0; graph.sets.len()],
        path: Vec::new(),
        left: usize::MAX,
        graph,
    };
    for start in 0..search.graph.nodes.len() {
        search.from(ev, start);
    }
}

/// Whether there can be a circle: the other attributes name only things of kinds that come before
/// their own.
fn may_close(parts: &Intent) -> bool {
    let mut datas = parts.machines.iter().filter_map(|m| m.user_data.as_ref());
    datas.any(|data| data.references().next().is_some())
        || parts.commons().any(|common| !common.depends_on.is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// A search of the graph, depth first.
struct Search<'a> {
    graph: Graph<'a>,
    /// By node.
    state: Vec<State>,
    /// How many of each set's members are done, from the first one on. Without a circle all of them
    /// are once it was gone through, so nobody else has to.
    done: Vec<usize>,
    /// What is open, and how much of it was followed.
    path: Vec<(To, usize, &'static str)>,
    /// How many more edges are followed.
    left: usize,
}

impl Search<'_> {
    fn from(&mut self, ev: &mut Evaluator<'_>, start: usize) {
        if self.state[start] != State::New {
            return;
        }
        self.state[start] = State::Open;
        self.path.push((To::Node(start), 0, ""));
        while let Some((at, next, by)) = self.path.last_mut() {
            let (at, by, number) = (*at, *by, *next);
            *next += 1;
            let edge = match at {
                To::Node(node) => self.graph.nodes[node].after.get(number).copied(),
                To::Set(set) => self.graph.sets[set].get(number).map(|to| (*to, by)),
            };
            let Some((to, attribute)) = edge.filter(|_| self.left > 0) else {
                self.close(at);
                continue;
            };
            self.left -= 1;
            match to {
                To::Node(node) if self.state[node] == State::New => {
                    self.state[node] = State::Open;
                    self.path.push((to, 0, attribute));
                }
                To::Node(node) if self.state[node] == State::Open => {
                    self.left = self.left.min(MAX_AFTER_A_CIRCLE);
                    self.report(ev, node, attribute);
                }
                To::Node(_) => {}
                To::Set(set) => {
                    let done = self.count_done(set);
                    if done < self.graph.sets[set].len() {
                        self.path.push((to, done, attribute));
                    }
                }
            }
        }
    }

    fn close(&mut self, at: To) {
        self.path.pop();
        match at {
            To::Node(node) => self.state[node] = State::Done,
            To::Set(set) => {
                self.count_done(set);
            }
        }
    }

    fn count_done(&mut self, set: usize) -> usize {
        let members = &self.graph.sets[set];
        let is_done = |to: &To| match to {
            To::Node(node) => self.state[*node] == State::Done,
            To::Set(other) => self.done[*other] == self.graph.sets[*other].len(),
        };
        let from = self.done[set];
        let more = members[from..].iter().take_while(|to| is_done(to)).count();
        self.done[set] = from + more;
        from + more
    }

    /// Reports the circle from `to` back to it, once for each attribute that closes one.
    fn report(&mut self, ev: &mut Evaluator<'_>, to: usize, attribute: &'static str) {
        let open = self.path.iter().rev().filter_map(|(at, ..)| match at {
            To::Node(node) => Some(*node),
            To::Set(_) => None,
        });
        let mut open = open.peekable();
        let last = open.peek().map_or(to, |last| *last);
        let nodes = &self.graph.nodes;
        let origins = Arc::as_ptr(&nodes[last].common.origins);
        if !self.graph.told.insert((origins, attribute)) {
            return;
        }
        let mut circle: Vec<usize> = vec![to];
        circle.extend(open.take_while(|node| *node != to));
        circle.push(to);
        let name = |node: &usize| format!("`{}`", nodes[*node].common.addr);
        let names: Vec<String> = circle.iter().rev().map(name).collect();
        ev.report(
            Diagnostic::error("reference_cycle", format!("{} waits for itself", name(&to)))
                .at(
                    nodes[last].common.origin(attribute),
                    "this closes the circle",
                )
                .help(format!("break the circle: {}", names.join(" -> "))),
        );
    }
}

/// What waits for what.
struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    sets: Vec<Vec<To>>,
    numbers: FxHashMap<&'a LocalAddr, usize>,
    /// The things of each block.
    blocks: FxHashMap<(Noun, &'a Name), Vec<To>>,
    /// The sets that are all of a block.
    wholes: FxHashMap<(Noun, &'a Name), To>,
    /// The sets that several things share, by their place in memory.
    shared: FxHashMap<usize, To>,
    /// The attributes of which a circle was told.
    told: FxHashSet<(*const Origins, &'static str)>,
}

impl<'a> Graph<'a> {
    fn new(parts: &'a Intent) -> Self {
        let things = things(parts);
        let mut graph = Self {
            nodes: Vec::with_capacity(things.len()),
            sets: Vec::new(),
            numbers: FxHashMap::with_capacity_and_hasher(things.len(), FxBuildHasher),
            blocks: FxHashMap::default(),
            wholes: FxHashMap::default(),
            shared: FxHashMap::default(),
            told: FxHashSet::default(),
        };
        for (number, (common, ..)) in things.iter().enumerate() {
            let addr = &common.addr;
            graph.numbers.insert(addr, number);
            let block = graph.blocks.entry((addr.noun, &addr.name));
            block.or_default().push(To::Node(number));
        }
        for (common, refs, user_data) in things {
            let mut after = Vec::with_capacity(refs.len() + 1);
            for (addr, attribute) in refs {
                let to = graph.numbers.get(addr);
                after.extend(to.map(|to| (To::Node(*to), attribute)));
            }
            if let Some(data) = user_data {
                let place = data.parts().as_ptr().addr();
                let refs = || data.references().map(|(of, _)| of);
                after.extend(graph.all(place, refs).map(|to| (to, "user_data")));
            }
            let place = common.depends_on.as_ptr().addr();
            let before = graph.all(place, || common.depends_on.iter());
            after.extend(before.map(|to| (to, "depends_on")));
            graph.nodes.push(Node { common, after });
        }
        graph
    }

    /// All that `refs` name: a set, made once, if it is several.
    fn all<I: Iterator<Item = &'a LocalAddr>>(
        &mut self,
        place: usize,
        refs: impl Fn() -> I,
    ) -> Option<To> {
        if refs().nth(1).is_none() {
            return self.one(refs().next()?);
        }
        if let Some(known) = self.shared.get(&place) {
            return Some(*known);
        }
        let members = refs().filter_map(|addr| self.one(addr)).collect();
        let set = self.set(members);
        self.shared.insert(place, set);
        Some(set)
    }

    /// What an address stands for: a thing, or all of a block.
    fn one(&mut self, addr: &'a LocalAddr) -> Option<To> {
        if let Some(number) = self.numbers.get(addr) {
            return Some(To::Node(*number));
        }
        let block = (addr.noun, &addr.name);
        if addr.key.is_some() {
            return None;
        }
        if let Some(known) = self.wholes.get(&block) {
            return Some(*known);
        }
        let members = self.blocks.get(&block)?.clone();
        let set = self.set(members);
        self.wholes.insert(block, set);
        Some(set)
    }

    fn set(&mut self, members: Vec<To>) -> To {
        self.sets.push(members);
        To::Set(self.sets.len() - 1)
    }
}

/// A thing, what it refers to by which attribute, and its user data.
type Thing<'a> = (
    &'a Common,
    Vec<(&'a LocalAddr, &'static str)>,
    Option<&'a UserData>,
);

fn things(parts: &Intent) -> Vec<Thing<'_>> {
    let alone = super::alone(parts);
    let mut things: Vec<Thing<'_>> = alone.map(|common| (common, vec![], None)).collect();
    for subnet in &parts.subnets {
        things.push((&subnet.common, vec![(&subnet.network, "network")], None));
    }
    for firewall in &parts.firewalls {
        let refs = vec![(&firewall.network, "network")];
        things.push((&firewall.common, refs, None));
    }
    for address in &parts.addresses {
        things.push((&address.common, attached(&address.target), None));
    }
    for machine in &parts.machines {
        let mut refs = vec![(&machine.subnet, "subnet")];
        refs.extend(machine.firewalls.iter().map(|f| (f, "firewalls")));
        refs.extend(machine.keypair.iter().map(|k| (k, "keypair")));
        if let Err(image) = &machine.image {
            refs.push((image, "image"));
        }
        things.push((&machine.common, refs, machine.user_data.as_ref()));
    }
    for volume in &parts.volumes {
        things.push((&volume.common, attached(&volume.target), None));
    }
    things
}

/// What is attached waits for its machine.
fn attached(target: &AttachIntent) -> Vec<(&LocalAddr, &'static str)> {
    match target {
        AttachIntent::Machine(machine) => vec![(machine, "attach")],
        AttachIntent::Site { .. } => vec![],
    }
}
