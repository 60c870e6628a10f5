//! Networks, subnets, firewalls.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net};
use strat_model::{
    Addr, Common, Diagnostic, FirewallIntent, FirewallRule, FirewallSpec, Internet, LocalAddr,
    Name, NetworkIntent, NetworkSpec, Peer, Spec, SubnetIntent, SubnetScope, SubnetSpec,
};

use super::{NoPlace, Placer, Unplaced};
use crate::cidr::{Want, site_slices, subnet_ranges};

/// How many bits wider a subnet is at most that is still known as the one that was made: there are two
/// to that power of ranges in it that may have been its own.
const WIDER_MAX: u8 = 8;

/// The subnets that are in a network, with their ranges.
type SubnetsIn<'a> = BTreeSet<(&'a Addr, Ipv4Net)>;
/// Of each network, the subnets that are in it.
type SubnetsThere<'a> = BTreeMap<&'a Addr, SubnetsIn<'a>>;

impl<'a> Placer<'a> {
    /// Places networks and, in each of their sites' slices, the subnets.
    pub(super) fn networks(&mut self) {
        let mut subnets: BTreeMap<&LocalAddr, Vec<&'a SubnetIntent>> = BTreeMap::new();
        for subnet in &self.intent.subnets {
            subnets.entry(&subnet.network).or_default().push(subnet);
        }
        let there = self.subnets_there();
        for network in &self.intent.networks {
            let slices = match site_slices(network, &self.seen_slices(network)) {
                Ok(slices) => slices,
                Err(finding) => {
                    self.no_range(&network.common.addr, finding);
                    continue;
                }
            };
            let subnets = subnets
                .get(&network.common.addr)
                .map_or(&[][..], Vec::as_slice);
            for (site, slice) in slices {
                if self.facts(&site).is_some() {
                    self.network_at(network, (&site, slice), subnets, &there);
                }
            }
        }
        self.given_networks(&subnets);
    }

    /// Places subnets in networks that others own, beside those that are there.
    fn given_networks(&mut self, subnets: &BTreeMap<&LocalAddr, Vec<&'a SubnetIntent>>) {
        let index = self.index;
        for (addr, thing) in index.given() {
            if self.facts(&addr.site).is_none() {
                continue;
            }
            match &thing.spec {
                Spec::Subnet(subnet) => {
                    self.subnets.insert(addr.clone(), subnet.cidr);
                }
                Spec::Network(network) => {
                    let mine = subnets.get(&addr.local).map_or(&[][..], Vec::as_slice);
                    let mine: Vec<&SubnetIntent> = mine
                        .iter()
                        .copied()
                        .filter(|subnet| !self.withheld.contains_key(&subnet.common.addr))
                        .collect();
                    let taken = index.taken(addr);
                    // Those of ours that are in it know it by its id.
                    let here = index.addrs().flat_map(|(at, found)| {
                        found.iter().filter_map(move |found| match &found.spec {
                            Spec::Subnet(spec) if spec.network == thing.id => {
                                (at.site == addr.site).then_some((at, spec.cidr))
                            }
                            _ => None,
                        })
                    });
                    self.subnets_at(addr, network.cidr, &mine, &here.collect(), taken);
                }
                _ => {}
            }
        }
    }

    fn seen_slices(&self, network: &NetworkIntent) -> BTreeMap<Name, Ipv4Net> {
        let places = self.index.places(&network.common.addr).iter();
        let seen = places.filter_map(|addr| match &self.index.at(addr).first()?.spec {
            Spec::Network(spec) => Some((addr.site.clone(), spec.cidr)),
            _ => None,
        });
        seen.collect()
    }

    fn network_at(
        &mut self,
        network: &'a NetworkIntent,
        (site, cidr): (&Name, Ipv4Net),
        subnets: &[&'a SubnetIntent],
        there: &SubnetsThere<'_>,
    ) {
        let addr = network.common.addr.at(site);
        let labels = network.common.labels.clone();
        self.add(
            &network.common,
            addr.clone(),
            Spec::Network(NetworkSpec { cidr, labels }),
        );

        let none = SubnetsIn::new();
        let here = there.get(&addr).unwrap_or(&none);
        self.subnets_at(&addr, cidr, subnets, here, &[]);
    }

    /// Places the subnets of a network at a site, in its range, beside those of others.
    fn subnets_at(
        &mut self,
        network: &Addr,
        cidr: Ipv4Net,
        subnets: &[&'a SubnetIntent],
        here: &SubnetsIn<'_>,
        others: &[Ipv4Net],
    ) {
        let site = &network.site;
        let Some(facts) = self.facts(site) else {
            return;
        };
        let zones: Vec<Option<&Name>> = match facts.capabilities.subnets {
            SubnetScope::Zonal => facts.zones.iter().map(Some).collect(),
            SubnetScope::Regional => vec![None],
        };
        let pairs = subnets
            .iter()
            .flat_map(|subnet| zones.iter().map(move |zone| (*subnet, *zone)));
        let wants: Vec<Want<'_>> = pairs
            .map(|(subnet, zone)| Want {
                subnet,
                zone,
                seen: self.seen_range(&subnet_addr(&subnet.common.addr, site, zone)),
                narrower: self.narrower(
                    network,
                    cidr.prefix_len() + subnet.newbits,
                    (subnet, zone),
                ),
            })
            .collect();
        let wanted: BTreeSet<Addr> = wants
            .iter()
            .map(|want| subnet_addr(&want.subnet.common.addr, site, want.zone))
            .collect();
        let going: Vec<Ipv4Net> = here
            .iter()
            .filter(|(subnet, _)| !wanted.contains(*subnet))
            .map(|(_, range)| *range)
            .collect();
        match subnet_ranges(cidr, site, &wants, &going, others) {
            Err(finding) => self.no_range(&network.local, finding),
            Ok(ranges) => {
                for (want, range) in wants.iter().zip(ranges) {
                    self.subnet_at(want, range, site, network);
                }
            }
        }
    }

    /// The subnets that are in each network, with their ranges.
    fn subnets_there(&self) -> SubnetsThere<'a> {
        let mut there = SubnetsThere::new();
        for (addr, resources) in self.index.addrs() {
            for resource in resources {
                if let Spec::Subnet(subnet) = &resource.spec
                    && let Some(network) = self.index.addr_of(&addr.site, &subnet.network)
                {
                    there
                        .entry(network)
                        .or_default()
                        .insert((addr, subnet.cidr));
                }
            }
        }
        there
    }

    fn no_range(&mut self, network: &LocalAddr, finding: Diagnostic) {
        let problem = Unplaced::new(network, NoPlace::ExhaustedCidr, finding);
        self.refuse(problem);
    }

    fn seen_range(&self, addr: &Addr) -> Option<Ipv4Net> {
        match &self.index.at(addr).first()?.spec {
            Spec::Subnet(spec) => Some(spec.cidr),
            _ => None,
        }
    }

    /// The range that a subnet was made with, where somebody has made it wider by hand, which some clouds
    /// do while machines are in it: the one in it that its mark was written for. The topology still says
    /// that one, so what differs is drift, and no reason to make the subnet anew elsewhere.
    fn narrower(
        &self,
        network: &Addr,
        prefix: u8,
        (subnet, zone): (&SubnetIntent, Option<&Name>),
    ) -> Option<Ipv4Net> {
        let common = &subnet.common;
        let addr = subnet_addr(&common.addr, &network.site, zone);
        let found = self.index.at(&addr).first()?;
        let Spec::Subnet(is) = &found.spec else {
            return None;
        };
        let wider = prefix.checked_sub(is.cidr.prefix_len())?;
        if !(1..=WIDER_MAX).contains(&wider) {
            return None;
        }
        let mark = found.mark.as_ref()?;
        let mut parts = is.cidr.subnets(prefix).ok()?;
        let facts = self.facts(&network.site)?;
        let way = match self.is_given(&network.local) {
            true => Ok(None),
            false => facts.capabilities.internet.resolve(subnet.internet),
        };
        // A mark that was written before subnets had ways says nothing of one.
        let ways = [way.ok().flatten(), None];
        parts.find(|part| {
            let made_so = |way| {
                let spec = subnet_spec(common, (*part, zone), network, way);
                self.single_goal(&addr, Spec::Subnet(spec)).digest() == mark.spec
            };
            ways.into_iter().any(made_so)
        })
    }

    fn subnet_at(&mut self, want: &Want<'_>, cidr: Ipv4Net, site: &Name, network: &Addr) {
        let common = &want.subnet.common;
        let addr = subnet_addr(&common.addr, site, want.zone);
        self.subnets.insert(addr.clone(), cidr);
        let way = self.way_out(want.subnet, network);
        let spec = subnet_spec(common, (cidr, want.zone), network, way);
        self.add(common, addr, Spec::Subnet(spec));
    }

    /// The way to the internet that a subnet is to have at a site; `None` where the site leaves no choice.
    /// In a network of others it has that network's: a way of its own would be made in what is theirs.
    fn way_out(&mut self, subnet: &SubnetIntent, network: &Addr) -> Option<Internet> {
        let (common, site) = (&subnet.common, &network.site);
        if self.is_given(&network.local) {
            return None;
        }
        let ways = &self.facts(site)?.capabilities.internet;
        let there = match ways.resolve(subnet.internet) {
            Ok(way) => return way,
            Err(there) => there,
        };
        let asked = subnet.internet.unwrap_or_default().as_str();
        let there: Vec<_> = there
            .into_iter()
            .map(|way| format!("\"{}\"", way.as_str()))
            .collect();
        let there = there.join(" or ");
        let message = format!(
            "{} is to have the way to the internet \"{asked}\", which {site} cannot give it",
            common.addr
        );
        let finding = Diagnostic::error(NoPlace::UnsupportedInternet.as_str(), message)
            .at(common.origin("internet"), format!("not at {site}"))
            .help(format!(
                "a subnet there can have {there}; write that, or give the site a network of its own"
            ));
        self.refuse(Unplaced::new(
            &common.addr,
            NoPlace::UnsupportedInternet,
            finding,
        ));
        None
    }

    /// Places firewalls. Machines must be placed before: a firewall that names another means that
    /// one's machines at other sites too, by the ranges of the subnets they are in.
    pub(super) fn firewalls(&mut self) {
        let own = self.intent.networks.iter();
        let own = own.map(|network| (&network.common.addr, network.sites.as_slice()));
        let given = self.intent.lookups.iter();
        let given = given.map(|one| (&one.addr, std::slice::from_ref(&one.site)));
        let networks: BTreeMap<&LocalAddr, &[Name]> = own.chain(given).collect();
        let network_of: BTreeMap<_, _> = self
            .intent
            .firewalls
            .iter()
            .map(|f| (&f.common.addr, &f.network))
            .collect();
        for firewall in &self.intent.firewalls {
            let Some(sites) = networks.get(&firewall.network) else {
                continue;
            };
            if self.withheld.contains_key(&firewall.common.addr) {
                continue;
            }
            let peers = firewall.rules.iter().flat_map(|rule| &rule.peers);
            let unsure = |peer: &Peer<_>| peer.firewall().is_some_and(|f| self.unsure.contains(f));
            if peers.clone().any(unsure) {
                let why = "its rules name machines that may run where no answer came from";
                self.withheld
                    .insert(firewall.common.addr.clone(), why.into());
                continue;
            }
            for site in *sites {
                if self.facts(site).is_some() {
                    self.firewall_at(firewall, site, &network_of);
                }
            }
        }
    }

    fn firewall_at(
        &mut self,
        firewall: &FirewallIntent,
        site: &Name,
        network_of: &BTreeMap<&LocalAddr, &LocalAddr>,
    ) {
        let peers = |peer: &Peer<LocalAddr>| -> Vec<Peer<Addr>> {
            match peer {
                Peer::Internet => vec![Peer::Internet],
                Peer::Cidr(cidr) => vec![Peer::Cidr(*cidr)],
                Peer::Firewall(other) if self.is_given(other) => {
                    vec![Peer::Firewall(other.at(site))]
                }
                Peer::Firewall(other) => {
                    let same_network = network_of.get(other) == Some(&&firewall.network);
                    let mut peers = self.remote_carriers(other, site, same_network);
                    if same_network {
                        peers.push(Peer::Firewall(other.at(site)));
                    }
                    peers
                }
            }
        };
        let rules = firewall.rules.iter().filter_map(|rule| {
            let peers: BTreeSet<_> = rule.peers.iter().flat_map(peers).collect();
            // A rule whose every peer has no machine anywhere admits nobody: it is left out.
            (!peers.is_empty()).then(|| FirewallRule {
                name: rule.name.clone(),
                direction: rule.direction,
                peers,
                protocol: rule.protocol,
                ports: rule.ports.clone(),
            })
        });
        let spec = FirewallSpec {
            network: firewall.network.at(site),
            rules: rules.collect(),
            labels: firewall.common.labels.clone(),
        };
        let addr = firewall.common.addr.at(site);
        self.add(&firewall.common, addr, Spec::Firewall(spec));
    }

    /// The ranges of the subnets that hold carriers of `firewall`: those at other sites than
    /// `site`, or at every site where the firewall is of another network.
    fn remote_carriers(
        &self,
        firewall: &LocalAddr,
        site: &Name,
        same_network: bool,
    ) -> Vec<Peer<Addr>> {
        let subnets = self.carriers.get(firewall).into_iter().flatten();
        subnets
            .filter(|subnet| !same_network || subnet.site != *site)
            .filter_map(|subnet| self.subnets.get(subnet))
            .map(|cidr| Peer::Cidr(IpNet::V4(*cidr)))
            .collect()
    }
}

/// The address of a subnet at a site, in a zone where subnets are zonal.
pub(super) fn subnet_addr(local: &LocalAddr, site: &Name, zone: Option<&Name>) -> Addr {
    let addr = local.at(site);
    match zone {
        Some(zone) => addr.in_zone(zone),
        None => addr,
    }
}

fn subnet_spec(
    common: &Common,
    (cidr, zone): (Ipv4Net, Option<&Name>),
    network: &Addr,
    internet: Option<Internet>,
) -> SubnetSpec<Addr> {
    SubnetSpec {
        network: network.clone(),
        cidr,
        zone: zone.cloned(),
        internet,
        labels: common.labels.clone(),
    }
}
