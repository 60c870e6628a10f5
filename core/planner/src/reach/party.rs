//! Who is at an end: machines of the topology, or addresses of others.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net};
use strat_model::{Addr, End, LocalAddr, MachineSpec, Name, SiteFacts, Spec};

use super::answer::Unreachable;
use super::spans::Spans;
use crate::Desired;

/// What questions are answered from: what is to be, and what is known of the sites.
#[derive(Clone, Copy)]
pub(super) struct World<'d> {
    pub(super) desired: &'d Desired,
    pub(super) facts: &'d BTreeMap<Name, SiteFacts>,
    /// The machines that an address of the topology leads to.
    pub(super) addressed: &'d BTreeSet<&'d Addr>,
}

/// Some who are alike to everything that decides.
#[derive(Debug, Clone)]
pub(super) struct Party<'d> {
    pub(super) who: Who<'d>,
    /// The addresses that they may have.
    pub(super) spans: Spans,
}

/// Who it is.
#[derive(Debug, Clone)]
pub(super) enum Who<'d> {
    /// A machine, or the machines of a fleet at one site.
    Machines(Host<'d>),
    /// Addresses in a network of the topology, at one site, whoever has them.
    Inside(&'d Addr),
    /// Private addresses in no network of the topology.
    Private,
    /// Addresses of the internet.
    Internet,
    /// Addresses of IPv6, which no machine has.
    Ipv6,
}

/// A machine, or the machines of a fleet at one site.
#[derive(Debug, Clone)]
pub(super) struct Host<'d> {
    pub(super) addr: &'d Addr,
    pub(super) firewalls: BTreeSet<&'d Addr>,
    pub(super) network: Option<&'d Addr>,
    pub(super) subnet: &'d Addr,
    /// What it is made as; of a fleet, one member.
    pub(super) spec: &'d MachineSpec<Addr>,
    /// The ranges that its addresses are from, as far as they are known.
    pub(super) ranges: BTreeSet<Ipv4Net>,
    /// Whether it is more than one machine: then they may talk to each other, too.
    pub(super) is_many: bool,
}

impl<'d> Party<'d> {
    pub(super) const fn host(&self) -> Option<&Host<'d>> {
        match &self.who {
            Who::Machines(host) => Some(host),
            _ => None,
        }
    }

    /// What it is called.
    pub(super) fn name(&self, end: &End) -> String {
        match &self.who {
            Who::Machines(host) => host.addr.to_string(),
            Who::Inside(network) => format!("{end} in {network}"),
            Who::Private | Who::Internet | Who::Ipv6 => end.to_string(),
        }
    }
}

impl<'d> Host<'d> {
    fn of(
        world: World<'d>,
        addr: &'d Addr,
        specs: &[&'d MachineSpec<Addr>],
        count: u32,
    ) -> Option<Self> {
        let first = specs.first()?;
        let subnets: Vec<_> = specs
            .iter()
            .filter_map(|one| match world.spec(&one.subnet)? {
                Spec::Subnet(subnet) => Some(subnet),
                _ => None,
            })
            .collect();
        Some(Self {
            addr,
            firewalls: first.firewalls.iter().collect(),
            network: subnets.first().map(|subnet| &subnet.network),
            subnet: &first.subnet,
            spec: first,
            ranges: subnets.iter().map(|subnet| subnet.cidr).collect(),
            is_many: count > 1,
        })
    }

    /// The addresses that it may have.
    pub(super) fn spans(&self) -> Spans {
        Spans::of(self.ranges.iter().copied())
    }

    /// Whether all its addresses of some subnet are in a range.
    pub(super) fn is_in(&self, range: &IpNet) -> bool {
        self.ranges
            .iter()
            .any(|own| range.contains(&IpNet::V4(*own)))
    }
}

impl<'d> World<'d> {
    /// What is to be at an address, or what others have there that the topology refers to.
    pub(super) fn spec(&self, addr: &Addr) -> Option<&'d Spec<Addr>> {
        let own = self.desired.entries.get(addr);
        let own = own
            .and_then(|entry| entry.goals.first())
            .map(|goal| &goal.spec);
        own.or_else(|| self.desired.given.get(addr))
    }

    /// All machines.
    pub(super) fn hosts(self) -> impl Iterator<Item = Host<'d>> {
        self.desired
            .entries
            .iter()
            .filter_map(move |(addr, entry)| {
                let machines = entry.goals.iter().filter_map(|goal| match &goal.spec {
                    Spec::Machine(machine) => Some(machine),
                    _ => None,
                });
                let machines: Vec<_> = machines.collect();
                Host::of(self, addr, &machines, entry.count())
            })
    }

    /// The networks, with their ranges.
    fn networks(self) -> impl Iterator<Item = (&'d Addr, Ipv4Net)> {
        let own = self.desired.entries.iter();
        let own = own.filter_map(|(addr, entry)| Some((addr, &entry.goals.first()?.spec)));
        own.chain(&self.desired.given)
            .filter_map(|(addr, spec)| match spec {
                Spec::Network(network) => Some((addr, network.cidr)),
                _ => None,
            })
    }

    /// Those who are at an end.
    pub(super) fn parties(self, end: &End) -> Result<Vec<Party<'d>>, Unreachable> {
        match end {
            End::Machines { local, site } => {
                let is_meant = |addr: &Addr| {
                    let name = (addr.local.noun, &addr.local.name) == (local.noun, &local.name);
                    let key = local.key.is_none() || local.key == addr.local.key;
                    name && key && site.as_ref().is_none_or(|site| *site == addr.site)
                };
                let hosts = self.hosts().filter(|host| is_meant(host.addr));
                let parties: Vec<Party<'d>> = hosts
                    .map(|host| Party {
                        spans: host.spans(),
                        who: Who::Machines(host),
                    })
                    .collect();
                match parties.is_empty() {
                    true => Err(self.nobody(end)),
                    false => Ok(parties),
                }
            }
            End::Internet => Ok(vec![self.internet(&Spans::public())]),
            End::Range(IpNet::V4(range)) => Ok(self.others(*range)),
            End::Range(IpNet::V6(_)) => Ok(vec![Party {
                who: Who::Ipv6,
                spans: Spans::default(),
            }]),
        }
    }

    /// Some of the internet, which is nobody's of the topology.
    pub(super) fn internet(self, spans: &Spans) -> Party<'d> {
        let networks = Spans::of(self.networks().map(|(_, range)| range));
        Party {
            who: Who::Internet,
            spans: spans.without(&networks),
        }
    }

    /// Whoever has the addresses of a range: those in each network, the others that are private, and those
    /// of the internet.
    fn others(self, range: Ipv4Net) -> Vec<Party<'d>> {
        let mut left = Spans::of([range]);
        let mut parties = Vec::new();
        for (network, of_network) in self.networks() {
            let inside = left.and(&Spans::of([of_network]));
            if !inside.is_empty() {
                left = left.without(&inside);
                parties.push(Party {
                    who: Who::Inside(network),
                    spans: inside,
                });
            }
        }
        let public = left.and(&Spans::public());
        let private = left.without(&public);
        let outside = [(Who::Private, private), (Who::Internet, public)];
        let outside = outside.into_iter().filter(|(_, spans)| !spans.is_empty());
        parties.extend(outside.map(|(who, spans)| Party { who, spans }));
        parties
    }

    fn nobody(self, end: &End) -> Unreachable {
        let End::Machines { local, site } = end else {
            return Unreachable::Nobody {
                end: Box::new(end.clone()),
                known: BTreeSet::new(),
            };
        };
        let withheld = self.desired.withheld.iter().find(|(addr, _)| {
            (addr.noun, &addr.name) == (local.noun, &local.name)
                && (local.key.is_none() || addr.key == local.key)
        });
        if let Some((addr, why)) = withheld {
            return Unreachable::Withheld {
                addr: addr.clone(),
                why: why.why.clone(),
            };
        }
        let known = self.hosts().map(|host| {
            let called = match local.key {
                Some(_) => host.addr.local.clone(),
                None => LocalAddr::new(host.addr.local.noun, host.addr.local.name.clone()),
            };
            match site {
                Some(_) => format!("{called}@{}", host.addr.site),
                None => called.to_string(),
            }
        });
        Unreachable::Nobody {
            end: Box::new(end.clone()),
            known: known.collect(),
        }
    }
}
