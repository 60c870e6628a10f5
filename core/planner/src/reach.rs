//! Who may talk to whom: what the firewalls of a topology admit, machine block by machine block.
//!
//! What is admitted is no route: whether packets find their way from one site to another is a matter of
//! the networks.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::Serialize;
use strat_model::{Addr, Direction, FirewallRule, FirewallSpec, Peer, PortRange, Protocol, Spec};

use crate::{Desired, Entry};

/// What one rule admits of one of its peers: each of `from` may talk to each of `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admission {
    /// The firewall that admits it.
    pub firewall: Addr,
    /// Its rule.
    pub rule: String,
    /// Whom the rule names.
    pub peer: Peer<Addr>,
    /// The protocol.
    pub protocol: Protocol,
    /// The ports; empty is all of them.
    pub ports: BTreeSet<PortRange>,
    /// The machines and fleets of the topology that come in by it, and are let out by their own firewalls.
    /// Of the internet none: it is everybody.
    pub from: BTreeSet<Addr>,
    /// The machines and fleets that carry the firewall.
    pub to: BTreeSet<Addr>,
}

/// A machine or fleet, as firewalls see it.
struct Host<'d> {
    addr: &'d Addr,
    firewalls: BTreeSet<&'d Addr>,
    /// The ranges that its addresses are from, as far as they are known.
    ranges: BTreeSet<IpNet>,
    /// Whether it is more than one machine: then they may talk to each other, too.
    is_many: bool,
}

impl Host<'_> {
    fn is_in(&self, range: &IpNet) -> bool {
        self.ranges.iter().any(|own| range.contains(own))
    }
}

/// What the firewalls admit, sorted by firewall and rule. A rule of a firewall that nothing carries admits
/// nobody, and so does one whose peers are nobody that there is.
#[must_use]
pub fn admissions(desired: &Desired) -> Vec<Admission> {
    let hosts = hosts(desired);
    let mut carriers: BTreeMap<&Addr, Vec<&Host<'_>>> = BTreeMap::new();
    for host in &hosts {
        for firewall in &host.firewalls {
            carriers.entry(firewall).or_default().push(host);
        }
    }
    let walls = Walls { desired };
    let mut admitted = Vec::new();
    for (firewall, to) in &carriers {
        let Some(spec) = walls.spec(firewall) else {
            continue;
        };
        let ingress = spec.rules.iter();
        for rule in ingress.filter(|rule| rule.direction == Direction::Ingress) {
            for peer in &rule.peers {
                let from: Vec<&Host<'_>> = match peer {
                    Peer::Internet => Vec::new(),
                    Peer::Firewall(other) => carriers.get(other).cloned().unwrap_or_default(),
                    Peer::Cidr(range) => hosts.iter().filter(|host| host.is_in(range)).collect(),
                };
                // Nobody of ours comes by a range that is somebody else's: it stands for itself.
                let stands_alone = from.is_empty() && !matches!(peer, Peer::Firewall(_));
                let mut groups: BTreeMap<BTreeSet<Addr>, BTreeSet<Addr>> = BTreeMap::new();
                if stands_alone {
                    groups.insert(addrs(to), BTreeSet::new());
                }
                for source in from {
                    let reached = walls.reached(source, to, rule);
                    if !reached.is_empty() {
                        groups
                            .entry(reached)
                            .or_default()
                            .insert(source.addr.clone());
                    }
                }
                admitted.extend(groups.into_iter().map(|(to, from)| Admission {
                    firewall: (*firewall).clone(),
                    rule: rule.name.to_string(),
                    peer: peer.clone(),
                    protocol: rule.protocol,
                    ports: rule.ports.clone(),
                    from,
                    to,
                }));
            }
        }
    }
    admitted
}

fn addrs(hosts: &[&Host<'_>]) -> BTreeSet<Addr> {
    hosts.iter().map(|host| host.addr.clone()).collect()
}

fn hosts(desired: &Desired) -> Vec<Host<'_>> {
    let range = |subnet: &Addr| match spec(desired.entries.get(subnet)?)? {
        Spec::Subnet(subnet) => Some(IpNet::V4(subnet.cidr)),
        _ => None,
    };
    let hosts = desired.entries.iter().filter_map(|(addr, entry)| {
        let machines = entry.goals.iter().filter_map(|goal| match &goal.spec {
            Spec::Machine(machine) => Some(machine),
            _ => None,
        });
        let machines: Vec<_> = machines.collect();
        let first = machines.first()?;
        Some(Host {
            addr,
            firewalls: first.firewalls.iter().collect(),
            ranges: machines
                .iter()
                .filter_map(|one| range(&one.subnet))
                .collect(),
            is_many: entry.count() > 1,
        })
    });
    hosts.collect()
}

fn spec(entry: &Entry) -> Option<&Spec<Addr>> {
    entry.goals.first().map(|goal| &goal.spec)
}

/// The firewalls of a topology.
struct Walls<'d> {
    desired: &'d Desired,
}

impl<'d> Walls<'d> {
    fn spec(&self, firewall: &Addr) -> Option<&'d FirewallSpec<Addr>> {
        match spec(self.desired.entries.get(firewall)?)? {
            Spec::Firewall(spec) => Some(spec),
            _ => None,
        }
    }

    /// Those of `to` that a machine reaches by a rule of theirs, as far as its own firewalls let it out:
    /// everywhere, unless one of them has a rule outward.
    fn reached(
        &self,
        source: &Host<'_>,
        to: &[&Host<'_>],
        rule: &FirewallRule<Addr>,
    ) -> BTreeSet<Addr> {
        let own = source
            .firewalls
            .iter()
            .filter_map(|firewall| self.spec(firewall));
        let egress: Vec<&FirewallRule<Addr>> = own
            .flat_map(|spec| &spec.rules)
            .filter(|rule| rule.direction == Direction::Egress)
            .collect();
        let is_let_out = |target: &Host<'_>| {
            let lets = |out: &&FirewallRule<Addr>| {
                meets(out, rule) && out.peers.iter().any(|peer| names(peer, target))
            };
            egress.is_empty() || egress.iter().any(lets)
        };
        let is_itself = |target: &Host<'_>| target.addr == source.addr && !source.is_many;
        let reached = to
            .iter()
            .filter(|target| !is_itself(target) && is_let_out(target));
        reached.map(|host| host.addr.clone()).collect()
    }
}

/// Whether a peer of a rule is this machine, among others.
fn names(peer: &Peer<Addr>, host: &Host<'_>) -> bool {
    match peer {
        Peer::Internet => true,
        Peer::Firewall(firewall) => host.firewalls.contains(firewall),
        Peer::Cidr(range) => {
            let mut own = host.ranges.iter();
            own.any(|own| range.contains(own) || own.contains(range))
        }
    }
}

/// Whether there is something that both rules admit.
fn meets(a: &FirewallRule<Addr>, b: &FirewallRule<Addr>) -> bool {
    let protocol = a.protocol == b.protocol || [a.protocol, b.protocol].contains(&Protocol::Any);
    let apart = |a: &PortRange, b: &PortRange| a.last < b.first || b.last < a.first;
    let ports = a.ports.is_empty()
        || b.ports.is_empty()
        || a.ports.iter().any(|a| b.ports.iter().any(|b| !apart(a, b)));
    protocol && ports
}
