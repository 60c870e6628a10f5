//! Who may talk to whom: what the firewalls of a topology admit, machine block by machine block.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use strat_model::{
    Addr, Direction, FirewallRule, Name, Peer, PortRange, Protocol, SiteFacts, Spec,
};

use super::answer::is_itself;
use super::gate::Other;
use super::hop::Passes;
use super::party::{Party, Who, World};
use super::traffic::Traffic;
use crate::Desired;

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

/// What the firewalls admit, sorted by firewall and rule. A rule of a firewall that nothing carries admits
/// nobody, and so does one whose peers are nobody that there is. What has no route to a machine is not
/// admitted to it.
#[must_use]
pub fn admissions(desired: &Desired, facts: &BTreeMap<Name, SiteFacts>) -> Vec<Admission> {
    let addressed = &desired.addressed();
    let world = World {
        desired,
        facts,
        addressed,
    };
    let hosts: Vec<Party<'_>> = world
        .hosts()
        .map(|host| Party {
            spans: host.spans(),
            who: Who::Machines(host),
        })
        .collect();
    let mut carriers: BTreeMap<&Addr, Vec<&Party<'_>>> = BTreeMap::new();
    for party in &hosts {
        for firewall in party.host().into_iter().flat_map(|host| &host.firewalls) {
            carriers.entry(firewall).or_default().push(party);
        }
    }
    let mut admitted = Vec::new();
    for (firewall, to) in &carriers {
        let Some(Spec::Firewall(spec)) = world.spec(firewall) else {
            continue;
        };
        let ingress = spec.rules.iter();
        for rule in ingress.filter(|rule| rule.direction == Direction::Ingress) {
            for peer in &rule.peers {
                let from: Vec<&Party<'_>> = match peer {
                    Peer::Internet => Vec::new(),
                    Peer::Firewall(other) => carriers.get(other).cloned().unwrap_or_default(),
                    Peer::Cidr(range) => {
                        let is_in =
                            |party: &&Party<'_>| party.host().is_some_and(|host| host.is_in(range));
                        hosts.iter().filter(is_in).collect()
                    }
                };
                // Nobody of ours comes by a range that is somebody else's: it stands for itself.
                let stands_alone = from.is_empty() && !matches!(peer, Peer::Firewall(_));
                let mut groups: BTreeMap<BTreeSet<Addr>, BTreeSet<Addr>> = BTreeMap::new();
                if stands_alone {
                    groups.insert(addrs(to), BTreeSet::new());
                }
                for source in from {
                    let reached = world.reached(source, to, rule);
                    if let (false, Some(host)) = (reached.is_empty(), source.host()) {
                        groups.entry(reached).or_default().insert(host.addr.clone());
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

fn addrs(parties: &[&Party<'_>]) -> BTreeSet<Addr> {
    let hosts = parties.iter().filter_map(|party| party.host());
    hosts.map(|host| host.addr.clone()).collect()
}

impl<'d> World<'d> {
    /// Those of `to` that a machine reaches by a rule of theirs, as far as there is a way and its own
    /// firewalls let it out.
    fn reached(
        self,
        source: &Party<'d>,
        to: &[&Party<'d>],
        rule: &FirewallRule<Addr>,
    ) -> BTreeSet<Addr> {
        let wanted = Traffic::of(rule.protocol, &rule.ports);
        let is_reached = |target: &&&Party<'d>| {
            let route = self.route(source, target);
            let other = Other {
                party: target,
                is_private: !route.is_public,
            };
            let is_let_out = || {
                source.host().is_some_and(|host| {
                    let gate = self.gate(Direction::Egress, host, &other);
                    !gate.some().and(&wanted).is_empty()
                })
            };
            !is_itself(source, target) && route.hop.passes != Passes::No && is_let_out()
        };
        let reached: Vec<&Party<'d>> = to.iter().filter(is_reached).copied().collect();
        addrs(&reached)
    }
}
