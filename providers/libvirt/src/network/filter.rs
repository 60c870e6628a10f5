//! Firewalls as libvirt's network filters: plain text of plain data.
//!
//! The form is that of <https://libvirt.org/formatnwfilter.html>: `direction` is as the guest sees
//! it, a rule without `statematch='false'` admits a connection's answers too, lower priorities
//! come first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use strat_model::{Direction, FirewallRule, Peer, PortRange, Protocol, ResourceId};

use crate::thing::uuid_of;
use crate::xml::Element;

/// The rules that let those pass who have no address yet.
const NOBODY: u32 = 40;
/// The rules that refuse addresses that are not the sender's own.
const FOREIGN: u32 = 50;
/// The rules that admit.
pub(super) const ADMIT: u32 = 500;
/// The rule that admits everything outward.
const OUTWARD: u32 = 900;
/// The rule that refuses the rest.
const REFUSE: u32 = 1000;

/// The name of a firewall's filter.
pub(super) fn firewall_filter(firewall: &str) -> String {
    format!("{firewall}.firewall")
}

/// The name of a machine's filter.
pub(crate) fn machine_filter(machine: &str) -> String {
    format!("{machine}.machine")
}

/// The addresses of the machines that carry each firewall.
pub(super) type Members = BTreeMap<String, BTreeSet<Ipv4Addr>>;

/// A firewall's filter: what its rules admit, with the firewalls they name as their machines'
/// addresses.
pub(super) fn firewall_xml(
    firewall: &str,
    rules: &BTreeSet<FirewallRule<ResourceId>>,
    members: &Members,
) -> Element {
    let rules = rules.iter().flat_map(|rule| rule_xml(rule, members));
    filter(&firewall_filter(firewall)).holding_all(rules)
}

/// The addresses that a machine's interface may send with.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnAddresses<'a> {
    pub(super) mac: &'a str,
    pub(super) ip: Ipv4Addr,
}

/// A machine's filter: the firewalls it carries, and nothing else inward. Outward everything, unless each
/// of its firewalls has a rule about that (`shuts`), and with its own addresses only, where they are given.
pub(super) fn machine_xml<'a>(
    machine: &str,
    firewalls: impl Iterator<Item = &'a String>,
    shuts: bool,
    own: Option<OwnAddresses<'_>>,
) -> Element {
    let refs = firewalls
        .map(|firewall| Element::new("filterref").with("filter", firewall_filter(firewall)));
    // The address itself comes by DHCP, before anything else can be admitted.
    let dhcp = |direction, from, to| {
        rule(direction, "accept", 100).holding(
            Element::new("udp")
                .with("srcportstart", from)
                .with("dstportstart", to),
        )
    };
    let outward =
        ["all", "all-ipv6"].map(|kind| rule("out", "accept", OUTWARD).holding(Element::new(kind)));
    let refuse =
        ["all", "all-ipv6"].map(|kind| rule("inout", "drop", REFUSE).holding(Element::new(kind)));
    filter(&machine_filter(machine))
        .holding_all(refs)
        .holding_all(own.iter().flat_map(OwnAddresses::rules))
        .holding(dhcp("out", 68, 67))
        .holding(dhcp("in", 67, 68))
        .holding_all(outward.into_iter().filter(|_| !shuts))
        .holding_all(refuse)
}

impl OwnAddresses<'_> {
    /// What refuses everything else on its way out, frame by frame: before any rule about packets is
    /// looked at, which speak of addresses. `0.0.0.0` is who has no address yet: DHCP, and ARP that asks
    /// whether an address is free.
    fn rules(&self) -> [Element; 6] {
        let alone = |what: &str, attribute: &str, value: &str| {
            let what = Element::new(what).with("match", "no");
            rule("out", "drop", FOREIGN).holding(what.with(attribute, value))
        };
        let ip = self.ip.to_string();
        let nobody = Element::new("ip").with("srcipaddr", Ipv4Addr::UNSPECIFIED);
        let nobody = nobody
            .with("protocol", "udp")
            .with("srcportstart", 68)
            .with("dstportstart", 67);
        let asks = Element::new("arp").with("arpsrcipaddr", Ipv4Addr::UNSPECIFIED);
        [
            rule("out", "accept", NOBODY).holding(nobody),
            rule("out", "accept", NOBODY).holding(asks),
            alone("mac", "srcmacaddr", self.mac),
            alone("arp", "arpsrcmacaddr", self.mac),
            alone("arp", "arpsrcipaddr", &ip),
            alone("ip", "srcipaddr", &ip),
        ]
    }
}

fn filter(name: &str) -> Element {
    Element::new("filter")
        .with("name", name)
        .with("chain", "root")
        .holding(Element::leaf("uuid", uuid_of("nwfilter", name)))
}

fn rule(direction: &str, action: &str, priority: u32) -> Element {
    Element::new("rule")
        .with("action", action)
        .with("direction", direction)
        .with("priority", priority)
}

pub(super) fn rule_xml(from: &FirewallRule<ResourceId>, members: &Members) -> Vec<Element> {
    let all_ports = [None];
    let some_ports: Vec<_> = from.ports.iter().map(Some).collect();
    let ports = if some_ports.is_empty() {
        &all_ports[..]
    } else {
        &some_ports[..]
    };
    let mut rules = Vec::new();
    for net in from.peers.iter().flat_map(|peer| nets(peer, members)) {
        for ports in ports {
            rules.push(admit(from, net, *ports));
        }
    }
    rules
}

/// The ranges that a peer stands for.
fn nets(peer: &Peer<ResourceId>, members: &Members) -> Vec<IpNet> {
    match peer {
        Peer::Internet => vec![
            IpNet::V4(ipnet::Ipv4Net::default()),
            IpNet::V6(ipnet::Ipv6Net::default()),
        ],
        Peer::Cidr(net) => vec![net.trunc()],
        Peer::Firewall(firewall) => {
            let ips = members.get(firewall.as_str()).into_iter().flatten();
            ips.map(|ip| IpNet::from(IpAddr::V4(*ip))).collect()
        }
    }
}

fn admit(from: &FirewallRule<ResourceId>, net: IpNet, ports: Option<&PortRange>) -> Element {
    let (direction, side) = match from.direction {
        Direction::Ingress => ("in", "src"),
        Direction::Egress => ("out", "dst"),
    };
    let v6 = matches!(net, IpNet::V6(_));
    let kind = match (from.protocol, v6) {
        (Protocol::Tcp, false) => "tcp",
        (Protocol::Tcp, true) => "tcp-ipv6",
        (Protocol::Udp, false) => "udp",
        (Protocol::Udp, true) => "udp-ipv6",
        (Protocol::Icmp, false) => "icmp",
        (Protocol::Icmp, true) => "icmpv6",
        (Protocol::Any, false) => "all",
        (Protocol::Any, true) => "all-ipv6",
    };
    let mut what = Element::new(kind);
    if net.prefix_len() > 0 {
        what = what
            .with(&format!("{side}ipaddr"), net.addr())
            .with(&format!("{side}ipmask"), net.prefix_len());
    }
    if let Some(ports) = ports {
        what = what
            .with("dstportstart", ports.first)
            .with("dstportend", ports.last);
    }
    rule(direction, "accept", ADMIT).holding(what)
}

#[cfg(test)]
mod tests {
    use strat_model::Name;

    use super::*;

    fn of(
        direction: Direction,
        peer: Peer<ResourceId>,
        protocol: Protocol,
        ports: &[(u16, u16)],
    ) -> FirewallRule<ResourceId> {
        FirewallRule {
            name: Name::new("r").expect("name"),
            direction,
            peers: BTreeSet::from([peer]),
            protocol,
            ports: ports
                .iter()
                .map(|(first, last)| PortRange {
                    first: *first,
                    last: *last,
                })
                .collect(),
        }
    }

    fn check(rule: &FirewallRule<ResourceId>, wanted: &[&str]) {
        let ips = ["10.0.0.5", "10.0.0.9"].map(|ip| ip.parse().expect("ip"));
        let members = Members::from([("db".to_owned(), BTreeSet::from(ips))]);
        let xml: Vec<_> = rule_xml(rule, &members)
            .iter()
            .map(|rule| rule.children[0].to_string())
            .collect();
        assert_eq!(xml, wanted);
    }

    #[test]
    fn the_internet_is_two_worlds() {
        check(
            &of(
                Direction::Ingress,
                Peer::Internet,
                Protocol::Tcp,
                &[(80, 80)],
            ),
            &[
                "<tcp dstportstart=\"80\" dstportend=\"80\"/>",
                "<tcp-ipv6 dstportstart=\"80\" dstportend=\"80\"/>",
            ],
        );
    }

    #[test]
    fn a_firewall_is_its_members() {
        let peer = |name: &str| Peer::Firewall(ResourceId::from(name));
        check(
            &of(Direction::Ingress, peer("db"), Protocol::Any, &[]),
            &[
                "<all srcipaddr=\"10.0.0.5\" srcipmask=\"32\"/>",
                "<all srcipaddr=\"10.0.0.9\" srcipmask=\"32\"/>",
            ],
        );
        check(
            &of(Direction::Ingress, peer("empty"), Protocol::Any, &[]),
            &[],
        );
    }

    #[test]
    fn outward_rules_look_at_the_other_end() {
        let range = Peer::Cidr("10.1.2.3/16".parse().expect("range"));
        check(
            &of(
                Direction::Egress,
                range,
                Protocol::Udp,
                &[(53, 53), (5000, 5010)],
            ),
            &[
                "<udp dstipaddr=\"10.1.0.0\" dstipmask=\"16\" dstportstart=\"53\" dstportend=\"53\"/>",
                "<udp dstipaddr=\"10.1.0.0\" dstipmask=\"16\" dstportstart=\"5000\" dstportend=\"5010\"/>",
            ],
        );
        check(
            &of(Direction::Ingress, Peer::Internet, Protocol::Icmp, &[]),
            &["<icmp/>", "<icmpv6/>"],
        );
    }

    #[test]
    fn a_machine_refuses_what_nothing_admits() {
        let firewalls = ["a".to_owned()];
        let open = machine_xml("m", firewalls.iter(), false, None);
        let actions = |xml: &Element| {
            xml.all("rule")
                .map(|r| r.get("action").unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            actions(&open),
            ["accept", "accept", "accept", "accept", "drop", "drop"]
        );
        assert_eq!(
            open.child("filterref").and_then(|f| f.get("filter")),
            Some("a.firewall")
        );
        let closed = machine_xml("m", firewalls.iter(), true, None);
        assert_eq!(actions(&closed), ["accept", "accept", "drop", "drop"]);
    }

    #[test]
    fn a_machine_sends_with_its_own_addresses() {
        let own = OwnAddresses {
            mac: "52:54:00:00:00:01",
            ip: Ipv4Addr::new(10, 0, 0, 5),
        };
        let xml = machine_xml("m", [].iter(), false, Some(own)).to_string();
        for rule in [
            "priority=\"50\"><mac match=\"no\" srcmacaddr=\"52:54:00:00:00:01\"/>",
            "priority=\"50\"><ip match=\"no\" srcipaddr=\"10.0.0.5\"/>",
            "priority=\"50\"><arp match=\"no\" arpsrcipaddr=\"10.0.0.5\"/>",
            "priority=\"40\"><arp arpsrcipaddr=\"0.0.0.0\"/>",
        ] {
            assert!(xml.contains(rule), "{rule}: {xml}");
        }
    }
}
