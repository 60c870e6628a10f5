//! What blocks ask of one another: a machine's sites are of its subnet's network, ranges do not
//! overlap, nothing waits for itself.

use std::collections::BTreeMap;

use strat_model::{
    AttachIntent, Common, Diagnostic, FirewallIntent, Intent, Internet, LocalAddr, MachineIntent,
    Name, NetworkIntent, Peer, Shared, SiteSpec, SubnetIntent,
};

use super::network::MAX_SUBNET_PREFIX;
use super::{find, lookup};
use crate::eval::Evaluator;
use crate::report::suggest;

type Sites = BTreeMap<Name, SiteSpec>;

/// Checks everything against everything, and fills in the sites of machines that name none.
pub(super) fn link(ev: &mut Evaluator<'_>, sites: &Sites, parts: &mut Intent) {
    overlaps(ev, &parts.networks);
    subnets(ev, &parts.networks, &parts.subnets);
    for firewall in &parts.firewalls {
        peers(ev, firewall, &parts.firewalls);
        lookup::peers(ev, firewall, parts);
    }
    lookup::attachments(ev, parts);
    ways_in(ev, parts);
    let mut machines = std::mem::take(&mut parts.machines);
    let mut last = Shared::default();
    for machine in &mut machines {
        placement(ev, machine, parts, sites);
        machine.placement = std::mem::take(&mut machine.placement).or_last(&mut last);
    }
    parts.machines = machines;
    for volume in &parts.volumes {
        if let AttachIntent::Site {
            site,
            zone: Some(zone),
        } = &volume.target
        {
            known_zone(ev, &volume.common, "zone", zone, [site], sites);
        }
    }
    ev.forget();
    super::order::cycles(ev, parts);
}

/// Two networks at one site must not share addresses.
fn overlaps(ev: &mut Evaluator<'_>, networks: &[NetworkIntent]) {
    let mut by_start: Vec<&NetworkIntent> = networks.iter().collect();
    by_start.sort_by_key(|n| (n.cidr.network(), n.cidr.prefix_len()));
    for (at, first) in by_start.iter().enumerate() {
        for second in &by_start[at + 1..] {
            if second.cidr.network() > first.cidr.broadcast() {
                break;
            }
            let Some(site) = first.sites.iter().find(|site| second.sites.contains(site)) else {
                continue;
            };
            let (a, b) = (&first.common, &second.common);
            ev.report(
                Diagnostic::error(
                    "overlapping_cidr",
                    format!("`{}` and `{}` overlap at the site `{site}`", b.addr, a.addr),
                )
                .at(b.origin("cidr"), format!("{}", second.cidr))
                .at(a.origin("cidr"), format!("{}", first.cidr))
                .help("give them ranges that share no address, or sites that share none"),
            );
        }
    }
}

/// The prefix length of each site's slice of a network.
fn slice(network: &NetworkIntent) -> u8 {
    network.site_prefix.unwrap_or(network.cidr.prefix_len())
}

/// The subnets of a network must fit into a site's slice, even if each is there only once.
fn subnets(ev: &mut Evaluator<'_>, networks: &[NetworkIntent], subnets: &[SubnetIntent]) {
    let mut used: BTreeMap<&LocalAddr, u64> = BTreeMap::new();
    for subnet in subnets {
        let Some(network) = find(networks, &subnet.network, |n| &n.common.addr) else {
            continue;
        };
        let slice = slice(network);
        let prefix = slice.saturating_add(subnet.newbits);
        let common = &subnet.common;
        if prefix > MAX_SUBNET_PREFIX {
            let room = MAX_SUBNET_PREFIX.saturating_sub(slice);
            ev.report(
                Diagnostic::error(
                    "exhausted_cidr",
                    format!(
                        "`{}` would be a /{prefix}: too small for a cloud's subnet",
                        common.addr
                    ),
                )
                .at(
                    common.origin("newbits"),
                    format!("{} bits after a /{slice}", subnet.newbits),
                )
                .at(network.common.origin("cidr"), "of this range")
                .help(format!(
                    "use `newbits` up to {room}: a subnet is at least a /{MAX_SUBNET_PREFIX}"
                )),
            );
            continue;
        }
        // In units of the smallest subnet that there may be.
        let total = 1_u64 << (MAX_SUBNET_PREFIX - slice);
        let size = 1_u64 << (MAX_SUBNET_PREFIX - prefix);
        let used = used.entry(&network.common.addr).or_default();
        *used += size;
        if *used > total {
            ev.report(
                Diagnostic::error(
                    "exhausted_cidr",
                    format!(
                        "the subnets of `{}` do not fit into a site's slice (/{slice})",
                        network.common.addr
                    ),
                )
                .at(common.origin("newbits"), "this one finds no room")
                .at(network.common.origin("cidr"), "of this range")
                .help("give the subnets more `newbits`, or the network a larger range"),
            );
        }
    }
}

/// What is to be reached from the internet must be in a subnet that is. Of an address whose subnet says
/// nothing it depends on the site, and is told once that is known.
fn ways_in(ev: &mut Evaluator<'_>, parts: &Intent) {
    let is_of_others = |subnet: &SubnetIntent| lookup::of(parts, &subnet.network).is_some();
    let subnet_of = |machine: &MachineIntent| {
        let subnet = find(&parts.subnets, &machine.subnet, |s| &s.common.addr)?;
        let has_way_in = subnet.internet == Some(Internet::Public) || is_of_others(subnet);
        (!has_way_in).then_some(subnet)
    };
    for subnet in &parts.subnets {
        let network = lookup::of(parts, &subnet.network);
        let Some(network) = network.filter(|_| subnet.internet.is_some()) else {
            continue;
        };
        let message = format!(
            "`{}` is in a network of others, and has that network's way to the internet",
            subnet.common.addr
        );
        let finding = Diagnostic::error("lookup_is_read_only", message)
            .at(
                subnet.common.origin("internet"),
                "would be made in what is theirs",
            )
            .at(network.origin.as_ref(), "looked up here");
        ev.report(finding.help("remove `internet`"));
    }
    for machine in &parts.machines {
        let Some(subnet) = subnet_of(machine).filter(|_| machine.public_ip == Some(true)) else {
            continue;
        };
        let message = format!(
            "`{}` is to have a public address, and its subnet is not public",
            machine.common.addr
        );
        not_public(ev, message, (&machine.common, "public_ip"), subnet);
    }
    for address in &parts.addresses {
        let AttachIntent::Machine(machine) = &address.target else {
            continue;
        };
        let machine = find(&parts.machines, machine, |m| &m.common.addr);
        let subnet = machine.and_then(subnet_of);
        let Some(subnet) = subnet.filter(|subnet| subnet.internet.is_some()) else {
            continue;
        };
        let message = format!(
            "`{}` leads to a machine whose subnet has no way in from the internet",
            address.common.addr
        );
        not_public(ev, message, (&address.common, "attach"), subnet);
    }
}

fn not_public(
    ev: &mut Evaluator<'_>,
    message: String,
    (common, attribute): (&Common, &str),
    subnet: &SubnetIntent,
) {
    let way = subnet.internet.unwrap_or_default().as_str();
    ev.report(
        Diagnostic::error("not_public", message)
            .at(common.origin(attribute), "nobody would reach it")
            .at(
                subnet.common.origin("internet"),
                format!("its way to the internet is \"{way}\""),
            )
            .help(format!(
                "write `internet = \"public\"` in `{}`, or use a subnet that says so",
                subnet.common.addr
            )),
    );
}

/// Firewalls speak of others of the same network only.
fn peers(ev: &mut Evaluator<'_>, firewall: &FirewallIntent, all: &[FirewallIntent]) {
    for rule in &firewall.rules {
        for peer in rule.peers.iter().filter_map(Peer::firewall) {
            let Some(other) = find(all, peer, |f| &f.common.addr) else {
                continue;
            };
            if other.network != firewall.network {
                let ingress = rule.direction == strat_model::Direction::Ingress;
                let word = if ingress { "ingress" } else { "egress" };
                let side = if ingress { "from" } else { "to" };
                let place = format!("{word}.{}.{side}", rule.name);
                ev.report(
                    Diagnostic::error(
                        "other_network",
                        format!(
                            "`{peer}` is of another network than `{}`",
                            firewall.common.addr
                        ),
                    )
                    .at(
                        firewall.common.origin(&place),
                        format!("of `{}`", other.network),
                    )
                    .at(
                        firewall.common.origin("network"),
                        format!("this is of `{}`", firewall.network),
                    )
                    .help("name a range of addresses instead, or move one of them"),
                );
            }
        }
    }
}

fn placement(ev: &mut Evaluator<'_>, machine: &mut MachineIntent, parts: &Intent, sites: &Sites) {
    let subnet = find(&parts.subnets, &machine.subnet, |s| &s.common.addr);
    let network = subnet.and_then(|s| find(&parts.networks, &s.network, |n| &n.common.addr));
    lookup::placement(ev, machine, network.map(|n| n.sites.as_slice()), parts);
    let Some(network) = network else {
        let zone = machine.placement.zone.as_ref();
        if let Some(zone) = zone {
            let (common, at) = (&machine.common, &machine.placement.sites);
            known_zone(ev, common, "placement.zone", zone, at, sites);
        }
        return;
    };
    if machine.placement.sites.is_empty() {
        machine.placement.sites.clone_from(&network.sites);
    }
    let common = &machine.common;
    for site in &machine.placement.sites {
        if !network.sites.contains(site) {
            let names = network.sites.iter().map(Name::as_str);
            let mut finding = Diagnostic::error(
                "site_outside_network",
                format!(
                    "`{}` is not at the site `{site}`, where this machine may run",
                    network.common.addr
                ),
            )
            .at(common.origin("placement.sites"), format!("names `{site}`"))
            .at(network.common.origin("sites"), "the network's sites");
            finding.help = suggest(site.as_str(), "its sites are", names);
            ev.report(finding);
        }
    }
    if let Some(zone) = &machine.placement.zone {
        known_zone(
            ev,
            common,
            "placement.zone",
            zone,
            &machine.placement.sites,
            sites,
        );
    }
    for firewall in &machine.firewalls {
        let Some(intent) = find(&parts.firewalls, firewall, |f| &f.common.addr) else {
            continue;
        };
        if intent.network != network.common.addr {
            ev.report(
                Diagnostic::error(
                    "other_network",
                    format!("`{firewall}` is of another network than the machine's subnet"),
                )
                .at(
                    common.origin("firewalls"),
                    format!("of `{}`", intent.network),
                )
                .at(
                    common.origin("subnet"),
                    format!("of `{}`", network.common.addr),
                )
                .help("use a firewall of the subnet's network"),
            );
        }
    }
}

/// A zone must be one of the zones that its sites list, where they list them.
fn known_zone<'a>(
    ev: &mut Evaluator<'_>,
    common: &Common,
    attribute: &str,
    zone: &Name,
    at: impl IntoIterator<Item = &'a Name>,
    sites: &Sites,
) {
    for name in at {
        let Some(site) = sites.get(name) else {
            continue;
        };
        if site.zones.is_empty() || site.zones.contains(zone) {
            continue;
        }
        let block = ev.program.sites.get(name);
        let place = block.and_then(|b| b.body.attribute("zones"));
        let place = place.map(|a| ev.files.origin(a.value.span));
        let mut finding = Diagnostic::error(
            "unknown_zone",
            format!("the site `{name}` has no zone `{zone}`"),
        )
        .at(common.origin(attribute), "no such zone")
        .at(place.as_ref(), "the site's zones");
        finding.help = suggest(zone.as_str(), "it has", site.zones.iter().map(Name::as_str));
        ev.report(finding);
    }
}
