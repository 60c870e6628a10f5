//! What firewalls let through: out of the machines that carry them, and in to them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use strat_model::{Addr, Asked, Direction, FirewallRule, FirewallSpec, Peer, Spec};

use super::hop::{Hop, HopAt, Passes, RuleRef};
use super::party::{Host, Party, Who, World};
use super::traffic::Traffic;

/// What the firewalls of a machine let through, to or from another end.
#[derive(Default)]
pub(super) struct Gate {
    /// What surely passes, for each part of the other end's addresses that the rules tell apart.
    pub(super) parts: BTreeSet<Traffic>,
    /// What may pass besides: to or from addresses that machines may have which rules name.
    perhaps: Traffic,
    rules: BTreeSet<RuleRef>,
    firewalls: BTreeSet<Addr>,
    /// A firewall that lets out everything.
    open: Option<Addr>,
    /// Firewalls whose rules are not known.
    unseen: BTreeSet<Addr>,
}

impl Gate {
    /// What nothing stands before.
    pub(super) fn open() -> Self {
        Self {
            parts: BTreeSet::from([Traffic::all()]),
            ..Self::default()
        }
    }

    /// All that passes between some addresses.
    pub(super) fn some(&self) -> Traffic {
        let mut some = self.perhaps.clone();
        self.parts.iter().for_each(|part| some.add(part));
        some
    }

    /// The hop that it is.
    pub(super) fn hop(self, at: HopAt, host: &Host<'_>, asked: &Asked) -> Hop {
        let wanted = Traffic::asked(asked);
        let traffic = self.some().and(&wanted);
        let is_enough = |part: &Traffic| match asked.means_all() {
            true => part.has(&wanted),
            false => !part.and(&wanted).is_empty(),
        };
        let is_about = |rule: &RuleRef| {
            let of_rule = Traffic::of(rule.protocol, &rule.ports);
            !of_rule.and(&wanted).is_empty()
        };
        let passes = match (traffic.is_empty(), self.parts.iter().all(is_enough)) {
            (true, _) => Passes::No,
            (false, false) => Passes::May,
            (false, true) => Passes::Yes,
        };
        Hop {
            at,
            passes,
            why: self.why(at, host, passes),
            traffic,
            assumed: false,
            firewalls: self.firewalls,
            rules: self.rules.into_iter().filter(is_about).collect(),
        }
    }

    fn why(&self, at: HopAt, host: &Host<'_>, passes: Passes) -> String {
        let of = host.addr;
        let outward = at == HopAt::Egress;
        if host.firewalls.is_empty() {
            return match outward {
                true => format!("{of} carries no firewall: everything is let out"),
                false => format!("{of} carries no firewall: nothing is let in"),
            };
        }
        if let Some(firewall) = &self.open {
            return format!("{firewall} has no egress rule: it lets out everything");
        }
        let names: Vec<String> = self.firewalls.iter().map(ToString::to_string).collect();
        let names = names.join(" and ");
        if let Some(unseen) = self.unseen.first() {
            return format!("the rules of {unseen}, which is somebody else's, are not known");
        }
        let rules = if outward {
            "egress rule"
        } else {
            "ingress rule"
        };
        match passes {
            Passes::No => format!("no {rules} of {names} admits it"),
            Passes::May => format!("what the {rules}s of {names} admit is not all of it"),
            Passes::Yes => format!("{names} admits it"),
        }
    }
}

/// The other end, as rules see it.
pub(super) struct Other<'p, 'd> {
    pub(super) party: &'p Party<'d>,
    /// Whether it is known by its private address. Firewalls are known by those alone.
    pub(super) is_private: bool,
}

impl<'d> World<'d> {
    /// What the firewalls of a machine let through.
    pub(super) fn gate(self, direction: Direction, host: &Host<'d>, other: &Other<'_, 'd>) -> Gate {
        let mut gate = Gate::default();
        let mut rules: Vec<(&Addr, &FirewallRule<Addr>)> = Vec::new();
        let mut always = Traffic::default();
        if host.firewalls.is_empty() && direction == Direction::Egress {
            always = Traffic::all();
        }
        for firewall in &host.firewalls {
            gate.firewalls.insert((*firewall).clone());
            let Some(spec) = self.firewall(firewall) else {
                gate.unseen.insert((*firewall).clone());
                gate.perhaps = Traffic::all();
                continue;
            };
            let own = spec.rules.iter().filter(|rule| rule.direction == direction);
            let before = rules.len();
            rules.extend(own.map(|rule| (*firewall, rule)));
            if rules.len() == before && direction == Direction::Egress {
                gate.open.get_or_insert_with(|| (*firewall).clone());
                always = Traffic::all();
            }
        }
        self.admit(&mut gate, &rules, &always, other);
        gate
    }

    fn admit(
        self,
        gate: &mut Gate,
        rules: &[(&Addr, &FirewallRule<Addr>)],
        always: &Traffic,
        other: &Other<'_, 'd>,
    ) {
        let peers = rules.iter().flat_map(|(_, rule)| &rule.peers);
        let ranges: Vec<Ipv4Net> = peers
            .filter_map(|peer| match peer {
                Peer::Cidr(IpNet::V4(range)) => Some(*range),
                _ => None,
            })
            .collect();
        let samples = other.party.spans.samples(&ranges);
        let mut parts: Vec<Traffic> = samples.iter().map(|_| always.clone()).collect();
        for (firewall, rule) in rules {
            let traffic = Traffic::of(rule.protocol, &rule.ports);
            let mut named = RuleRef::of(firewall, rule);
            for peer in &rule.peers {
                let mut is_named = false;
                for (sample, part) in samples.iter().zip(&mut parts) {
                    if is_sure(peer, other, *sample) {
                        part.add(&traffic);
                        is_named = true;
                    }
                }
                if self.is_possible(peer, other) {
                    gate.perhaps.add(&traffic);
                    is_named = true;
                }
                if is_named {
                    named.peers.insert(peer.clone());
                }
            }
            if !named.peers.is_empty() {
                gate.rules.insert(named);
            }
        }
        gate.parts = parts.into_iter().collect();
        if gate.parts.is_empty() {
            // Nothing is known of the addresses: whatever names none is sure.
            gate.parts.insert(always.clone());
        }
    }

    /// Whether a peer may be at the other end, although that is not sure.
    fn is_possible(self, peer: &Peer<Addr>, other: &Other<'_, 'd>) -> bool {
        match (peer, &other.party.who) {
            // Addresses in a network may be those of its machines.
            (Peer::Firewall(firewall), Who::Inside(network)) => self.hosts().any(|host| {
                host.firewalls.contains(firewall)
                    && host.network == Some(*network)
                    && host.spans().meets(&other.party.spans)
            }),
            // Of a machine whose subnet was not seen the addresses are not known.
            (Peer::Cidr(_), Who::Machines(_)) => other.party.spans.is_empty(),
            _ => false,
        }
    }

    fn firewall(self, addr: &Addr) -> Option<&'d FirewallSpec<Addr>> {
        match self.spec(addr)? {
            Spec::Firewall(spec) => Some(spec),
            _ => None,
        }
    }
}

/// Whether a peer is at the other end for sure, if that has this address.
fn is_sure(peer: &Peer<Addr>, other: &Other<'_, '_>, address: u32) -> bool {
    match peer {
        Peer::Internet => true,
        Peer::Cidr(range) => range.contains(&IpAddr::V4(Ipv4Addr::from(address))),
        Peer::Firewall(firewall) => {
            let host = other.party.host().filter(|_| other.is_private);
            host.is_some_and(|host| host.firewalls.contains(firewall))
        }
    }
}
