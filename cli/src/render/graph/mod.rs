//! A topology as a graph: what there is to be, where, what needs what, who may talk to whom, and what a
//! plan changes of it. Each form of it is drawn from the same data.

pub(crate) mod dot;
pub(crate) mod mermaid;
mod page;
mod site;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stratiform::Plan;
use stratiform::model::{Addr, Kind, Name, SiteFacts, SiteSpec, Spec};
use stratiform::planner::{Action, Admission, Dependency, Desired, Entry, admissions};

use super::spec::pieces;

pub(crate) use page::page;

/// A topology as a graph.
#[derive(Debug, Serialize)]
pub(crate) struct Graph {
    /// The topology's name.
    pub(crate) topology: String,
    /// Its sites, by name.
    pub(crate) sites: BTreeMap<Name, SiteNode>,
    /// What there is to be, and what goes, sorted by address.
    pub(crate) nodes: Vec<Node>,
    /// What needs what.
    pub(crate) needs: Vec<Need>,
    /// Who may talk to whom.
    pub(crate) admits: Vec<Admission>,
}

/// A site.
#[derive(Debug, Serialize)]
pub(crate) struct SiteNode {
    /// Its provider.
    pub(crate) provider: String,
    /// Its region, where it has one.
    pub(crate) region: Option<String>,
}

/// What is to be at one address.
#[derive(Debug, Serialize)]
pub(crate) struct Node {
    /// Where.
    pub(crate) addr: Addr,
    /// Its kind.
    pub(crate) kind: Kind,
    /// How many there are to be; 0 of what goes.
    pub(crate) count: u32,
    /// How many of them are in each zone, where there are zones.
    pub(crate) zones: BTreeMap<Name, u32>,
    /// What each is to be, most important first.
    pub(crate) what: Vec<String>,
    /// What it lies in: the network of a subnet, the subnet of a machine; of a fleet, in each zone.
    pub(crate) lies_in: BTreeSet<Addr>,
    /// The machine that it is attached to, where it is a volume or an address.
    pub(crate) attached_to: Option<Addr>,
    /// Whether deleting it is refused.
    pub(crate) protect: bool,
    /// What the plan does to it: to how many things, by action.
    pub(crate) changes: BTreeMap<&'static str, u32>,
}

/// One thing needs another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Need {
    /// What needs something.
    pub(crate) from: Addr,
    /// What it needs: an address, or all that a block comes to.
    pub(crate) to: String,
}

impl Graph {
    /// The graph of what is to be, with what a plan changes.
    pub(crate) fn of(
        sites: &BTreeMap<Name, SiteSpec>,
        facts: &BTreeMap<Name, SiteFacts>,
        desired: &Desired,
        plan: &Plan,
    ) -> Self {
        let mut changes: BTreeMap<&Addr, BTreeMap<&'static str, u32>> = BTreeMap::new();
        for change in &plan.changes {
            if change.action != Action::NoOp {
                let of = changes.entry(&change.addr).or_default();
                *of.entry(change.action.as_str()).or_default() += change.count;
            }
        }
        let mut nodes: BTreeMap<&Addr, Node> = BTreeMap::new();
        for (addr, entry) in &desired.entries {
            let changes = changes.remove(addr).unwrap_or_default();
            nodes.insert(addr, node(addr, entry, changes));
        }
        // What is left is what the topology does not have any more.
        for (addr, changes) in changes {
            nodes.insert(addr, gone(addr, changes));
        }
        let sites = sites.iter().map(|(name, site)| {
            let node = SiteNode {
                provider: site.provider.clone(),
                region: site.region.clone(),
            };
            (name.clone(), node)
        });
        let needs = desired.entries.iter().flat_map(|(addr, entry)| {
            let needs = needs(entry).into_iter();
            let others = needs.filter(|need| *need != *addr);
            others.map(|need| Need {
                from: addr.clone(),
                to: need.to_string(),
            })
        });
        Self {
            topology: desired.owner.named().to_string(),
            sites: sites.collect(),
            nodes: nodes.into_values().collect(),
            needs: needs.collect(),
            admits: admissions(desired, facts),
        }
    }
}

/// What an entry needs: what it says, and what it refers to.
pub(crate) fn needs(entry: &Entry) -> BTreeSet<Dependency> {
    let mut needs: BTreeSet<Dependency> = entry.depends_on.iter().cloned().collect();
    for goal in &entry.goals {
        goal.spec.for_each_ref(|need| {
            needs.insert(Dependency::One(need.clone()));
        });
    }
    needs
}

fn node(addr: &Addr, entry: &Entry, changes: BTreeMap<&'static str, u32>) -> Node {
    let mut zones = BTreeMap::new();
    let (mut lies_in, mut attached_to) = (BTreeSet::new(), None);
    for goal in &entry.goals {
        if let Some(zone) = goal.zone() {
            *zones.entry(zone.clone()).or_default() += goal.count;
        }
        match &goal.spec {
            Spec::Subnet(spec) => lies_in.extend([spec.network.clone()]),
            Spec::Firewall(spec) => lies_in.extend([spec.network.clone()]),
            Spec::Machine(spec) => lies_in.extend([spec.subnet.clone()]),
            Spec::Volume(spec) => attached_to.clone_from(&spec.attach),
            Spec::Address(spec) => attached_to.clone_from(&spec.attach),
            Spec::Network(_) | Spec::Keypair(_) | Spec::Image(_) | Spec::Bucket(_) => {}
        }
    }
    Node {
        addr: addr.clone(),
        kind: addr.local.noun.kind(),
        count: entry.count(),
        zones,
        what: pieces(&entry.goals),
        lies_in,
        attached_to,
        protect: entry.protect,
        changes,
    }
}

fn gone(addr: &Addr, changes: BTreeMap<&'static str, u32>) -> Node {
    Node {
        addr: addr.clone(),
        kind: addr.local.noun.kind(),
        count: 0,
        zones: BTreeMap::new(),
        what: Vec::new(),
        lies_in: BTreeSet::new(),
        attached_to: None,
        protect: false,
        changes,
    }
}

impl Node {
    /// The action that says most of what becomes of it, if anything does.
    pub(crate) fn action(&self) -> Option<&'static str> {
        const BY_WEIGHT: [Action; 6] = [
            Action::Delete,
            Action::Replace,
            Action::Create,
            Action::Update,
            Action::Adopt,
            Action::Forget,
        ];
        let mut words = BY_WEIGHT.into_iter().map(Action::as_str);
        words.find(|word| self.changes.contains_key(word))
    }
}
