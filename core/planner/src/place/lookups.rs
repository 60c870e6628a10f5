//! What refers to things that others own.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{
    Addr, Diagnostic, FirewallRule, FirewallSpec, Found, LocalAddr, MachineIntent, Name, Peer,
    ResourceId, Spec, SubnetSpec,
};

use super::{NoPlace, Placer, Unplaced};
use crate::InventoryIndex;

/// The networks, subnets and firewalls of others that the topology refers to, by the topology's addresses.
/// What they refer to that is neither ours nor looked up has none: a subnet of such a network is left out,
/// and so is such a peer of a rule, which no machine of ours is.
pub(super) fn given(index: &InventoryIndex<'_>) -> BTreeMap<Addr, Spec<Addr>> {
    let mut given = BTreeMap::new();
    for (addr, thing) in index.given() {
        let named = |id: &ResourceId| {
            let others = index.given().iter();
            let mut others =
                others.filter(|(other, thing)| other.site == addr.site && thing.id == *id);
            let other = others.next().map(|(other, _)| other.clone());
            other.or_else(|| index.addr_of(&addr.site, id).cloned())
        };
        let spec = match &thing.spec {
            Spec::Network(network) => Some(Spec::Network(network.clone())),
            Spec::Subnet(subnet) => named(&subnet.network).map(|network| {
                Spec::Subnet(SubnetSpec {
                    network,
                    cidr: subnet.cidr,
                    zone: subnet.zone.clone(),
                    internet: subnet.internet,
                    labels: subnet.labels.clone(),
                })
            }),
            Spec::Firewall(firewall) => named(&firewall.network).map(|network| {
                let peer = |peer: &Peer<ResourceId>| match peer {
                    Peer::Internet => Some(Peer::Internet),
                    Peer::Cidr(range) => Some(Peer::Cidr(*range)),
                    Peer::Firewall(id) => named(id).map(Peer::Firewall),
                };
                let rules = firewall.rules.iter().map(|rule| FirewallRule {
                    name: rule.name.clone(),
                    direction: rule.direction,
                    peers: rule.peers.iter().filter_map(peer).collect(),
                    protocol: rule.protocol,
                    ports: rule.ports.clone(),
                });
                Spec::Firewall(FirewallSpec {
                    network,
                    rules: rules.collect(),
                    labels: firewall.labels.clone(),
                })
            }),
            _ => None,
        };
        given.extend(spec.map(|spec| (addr.clone(), spec)));
    }
    given
}

/// The network that something is in.
#[derive(PartialEq, Eq)]
enum Home<'a> {
    /// One that is there, by its id.
    There(&'a ResourceId),
    /// One that is still to be made.
    New(&'a LocalAddr),
}

impl<'a> Placer<'a> {
    /// Withholds what refers to something of others that could not be looked for, and refuses machines
    /// whose subnet and firewalls are in different networks.
    pub(super) fn lookups(&mut self) {
        if self.intent.lookups.is_empty() {
            return;
        }
        self.withhold_users_of_unseen();
        let machines: Vec<&MachineIntent> = self
            .intent
            .machines
            .iter()
            .filter(|machine| !self.withheld.contains_key(&machine.common.addr))
            .collect();
        for machine in machines {
            if let Some(problem) = self.in_two_networks(machine) {
                self.refuse(problem);
            }
        }
    }

    /// Whether it is others', by what the topology says.
    pub(super) fn is_given(&self, local: &LocalAddr) -> bool {
        let lookups = &self.intent.lookups;
        lookups
            .binary_search_by(|lookup| lookup.addr.cmp(local))
            .is_ok()
    }

    /// The zones in which a subnet of others is that machines are to be in; `None` where that does not
    /// bind them to zones.
    pub(super) fn given_zones(&self, machine: &MachineIntent) -> Option<BTreeSet<Name>> {
        if !self.is_given(&machine.subnet) {
            return None;
        }
        let there = self.index.given_as(&machine.subnet);
        let zones: BTreeSet<Name> = there
            .filter_map(|(_, thing)| thing.zone().cloned())
            .collect();
        (!zones.is_empty()).then_some(zones)
    }

    fn withhold_users_of_unseen(&mut self) {
        let mut unseen: BTreeMap<&LocalAddr, String> = BTreeMap::new();
        for lookup in &self.intent.lookups {
            let seen = self.index.lookup(&lookup.site, &lookup.addr);
            let why = match seen {
                Some(Found::Unseen { why }) => why.as_str(),
                Some(_) => continue,
                None => "its site gave no answer",
            };
            let why = format!("it refers to {}, which was not seen: {why}", lookup.addr);
            unseen.insert(&lookup.addr, why);
        }
        if unseen.is_empty() {
            return;
        }
        for subnet in &self.intent.subnets {
            if let Some(why) = unseen.get(&subnet.network).cloned() {
                unseen.insert(&subnet.common.addr, why);
            }
        }
        for firewall in &self.intent.firewalls {
            let peers = firewall.rules.iter().flat_map(|rule| &rule.peers);
            let mut named = peers
                .filter_map(|peer| peer.firewall())
                .chain([&firewall.network]);
            if let Some(why) = named.find_map(|one| unseen.get(one)).cloned() {
                unseen.insert(&firewall.common.addr, why);
            }
        }
        for machine in &self.intent.machines {
            let mut named = machine
                .firewalls
                .iter()
                .chain([&machine.subnet])
                .chain(machine.keypair.as_ref())
                .chain(machine.image.as_ref().err());
            if let Some(why) = named.find_map(|one| unseen.get(one)).cloned() {
                self.unsure.extend(machine.firewalls.iter().cloned());
                unseen.insert(&machine.common.addr, why);
            }
        }
        for (addr, why) in unseen {
            if !self.is_given(addr) {
                self.withheld
                    .entry(addr.clone())
                    .or_insert_with(|| why.into());
            }
        }
    }

    /// What a machine's subnet and firewalls are in must be one network, wherever that can be told.
    fn in_two_networks(&self, machine: &'a MachineIntent) -> Option<Unplaced> {
        let site = machine.placement.sites.first()?;
        let mut given = machine.firewalls.iter().chain([&machine.subnet]);
        let around = |local: &LocalAddr| {
            let network = self.network_of(local);
            self.is_given(local) || network.is_some_and(|network| self.is_given(network))
        };
        if !given.any(around) {
            return None;
        }
        let home = self.home(&machine.subnet, site)?;
        let other = machine.firewalls.iter().find(|firewall| {
            let its = self.home(firewall, site);
            its.is_some_and(|its| its != home)
        })?;
        let common = &machine.common;
        let finding = Diagnostic::error(
            NoPlace::OtherNetwork.as_str(),
            format!(
                "`{other}` is of another network at {site} than `{}`, the subnet of {}",
                machine.subnet, common.addr
            ),
        )
        .at(common.origin("firewalls"), "of another network")
        .at(common.origin("subnet"), "this subnet's")
        .help("use a firewall of the subnet's network");
        Some(Unplaced::new(&common.addr, NoPlace::OtherNetwork, finding))
    }

    /// The network that a subnet or firewall of the topology's own names.
    fn network_of(&self, local: &LocalAddr) -> Option<&'a LocalAddr> {
        let intent = self.intent;
        let subnets = &intent.subnets;
        let subnet = subnets.binary_search_by(|one| one.common.addr.cmp(local));
        if let Ok(at) = subnet {
            return Some(&subnets[at].network);
        }
        let firewalls = &intent.firewalls;
        let firewall = firewalls.binary_search_by(|one| one.common.addr.cmp(local));
        firewall.ok().map(|at| &firewalls[at].network)
    }

    fn home(&self, local: &LocalAddr, site: &Name) -> Option<Home<'a>> {
        if let Some((_, thing)) = self.index.given_as(local).next() {
            return match &thing.spec {
                Spec::Subnet(subnet) => Some(Home::There(&subnet.network)),
                Spec::Firewall(firewall) => Some(Home::There(&firewall.network)),
                _ => None,
            };
        }
        let network = self.network_of(local)?;
        if let Some((_, thing)) = self.index.given_as(network).next() {
            return Some(Home::There(&thing.id));
        }
        if self.is_given(network) {
            return None;
        }
        let there = self.index.at(&network.at(site)).first();
        Some(there.map_or(Home::New(network), |thing| Home::There(&thing.id)))
    }
}
