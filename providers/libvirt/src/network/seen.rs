//! Filters as libvirt has them, beside what was asked for.
//!
//! A filter is compared rule by rule, in no order: libvirt writes what it was given with its attributes
//! in an order of its own. What can be read as a rule of a firewall is told as one; the rest, and rules
//! that speak of machines one by one, are told in words.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use strat_model::{Direction, FirewallRule, Name, Peer, PortRange, Protocol, ResourceId};

use super::filter::{ADMIT, Members, rule_xml};
use crate::xml::Element;

/// A rule of a filter, or its reference to another: all that is said in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    name: String,
    attributes: BTreeMap<String, String>,
    matches: Vec<(String, BTreeMap<String, String>)>,
}

/// What one row admits, where it is of the form that rules of firewalls become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Atom {
    direction: Direction,
    protocol: Protocol,
    net: IpNet,
    ports: Option<PortRange>,
}

/// The protocols that all that is of one composed rule shares.
type Grouped = BTreeMap<(Direction, Protocol), BTreeMap<IpNet, BTreeSet<Option<PortRange>>>>;

/// What a firewall's filter says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The rules that it comes to.
    pub(super) rules: BTreeSet<FirewallRule<ResourceId>>,
    /// What else is in it.
    pub(super) more: Vec<String>,
    /// What is missing of what follows from the machines that there are.
    pub(super) lacks: Vec<String>,
}

/// The rules and references of a filter.
pub(crate) fn rows(filter: &Element) -> BTreeSet<Row> {
    let spoken = filter.children.iter();
    let spoken = spoken.filter(|child| matches!(child.name.as_str(), "rule" | "filterref"));
    spoken.map(Row::of).collect()
}

/// What differs between two filters: what the second has and lacks, in words.
pub(crate) fn differences(wanted: &Element, is: &Element) -> Option<String> {
    let (wanted, is) = (rows(wanted), rows(is));
    let words = |rows: Vec<&Row>| {
        let words: Vec<_> = rows.into_iter().map(Row::to_string).collect();
        words.join(", ")
    };
    let more = words(is.difference(&wanted).collect());
    let less = words(wanted.difference(&is).collect());
    match (more.is_empty(), less.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("with {more}")),
        (true, false) => Some(format!("without {less}")),
        (false, false) => Some(format!("with {more} and without {less}")),
    }
}

/// What a firewall's filter says, beside the rules that it was made of. `settled` are the addresses of
/// machines that are whole; those of all others may be in it or not.
pub(super) fn seen(
    asked: &BTreeSet<FirewallRule<ResourceId>>,
    filter: &Element,
    settled: &Members,
    all: &Members,
) -> Seen {
    let there = rows(filter);
    let mut told = Seen::default();
    let mut known = BTreeSet::new();
    for rule in asked {
        let (named, fixed): (BTreeSet<_>, BTreeSet<_>) = rule
            .peers
            .iter()
            .cloned()
            .partition(|peer| peer.firewall().is_some());
        let of = |peers: &BTreeSet<Peer<ResourceId>>, members: &Members| {
            let part = FirewallRule {
                peers: peers.clone(),
                ..rule.clone()
            };
            let rows: Vec<Row> = rule_xml(&part, members).iter().map(Row::of).collect();
            rows
        };
        let wanted = of(&fixed, settled);
        if wanted.iter().all(|row| there.contains(row)) {
            told.rules.insert(rule.clone());
        } else {
            let left = wanted.iter().filter(|row| there.contains(row));
            let mut parts = composed(left.filter_map(Row::atom));
            if !named.is_empty() {
                let (direction, protocol) = (rule.direction, rule.protocol);
                parts.push((direction, protocol, named.clone(), rule.ports.clone()));
            }
            told.put(rule.name.as_str(), parts);
        }
        known.extend(wanted);
        let missing = of(&named, settled).into_iter();
        let missing = missing.filter(|row| !there.contains(row));
        told.lacks.extend(missing.map(|row| row.to_string()));
        known.extend(of(&named, all));
    }
    let mut by_hand = Vec::new();
    for row in there.difference(&known) {
        match row.atom() {
            // As a rule that names a firewall speaks of a machine: of one that is gone.
            Some(atom) if asked.iter().any(|rule| atom.may_be_of_member(rule)) => {
                told.more.push(row.to_string());
            }
            Some(atom) => by_hand.push(atom),
            None => told.more.push(row.to_string()),
        }
    }
    told.put("by-hand", composed(by_hand.into_iter()));
    told
}

/// A rule without its name.
type Part = (
    Direction,
    Protocol,
    BTreeSet<Peer<ResourceId>>,
    BTreeSet<PortRange>,
);

/// As few rules as say the same.
fn composed(atoms: impl Iterator<Item = Atom>) -> Vec<Part> {
    let mut grouped = Grouped::new();
    for atom in atoms {
        let nets = grouped.entry((atom.direction, atom.protocol)).or_default();
        nets.entry(atom.net).or_default().insert(atom.ports);
    }
    let mut parts = Vec::new();
    for ((direction, protocol), nets) in grouped {
        let mut by_ports: BTreeMap<BTreeSet<Option<PortRange>>, BTreeSet<IpNet>> = BTreeMap::new();
        for (net, ports) in nets {
            by_ports.entry(ports).or_default().insert(net);
        }
        for (ports, nets) in by_ports {
            // All ports and some are all.
            let all = ports.contains(&None);
            let ports = ports.into_iter().flatten().filter(|_| !all).collect();
            parts.push((direction, protocol, peers(nets), ports));
        }
    }
    parts
}

/// Ranges as peers: both worlds at once are the internet.
fn peers(mut nets: BTreeSet<IpNet>) -> BTreeSet<Peer<ResourceId>> {
    let worlds = [
        IpNet::V4(ipnet::Ipv4Net::default()),
        IpNet::V6(ipnet::Ipv6Net::default()),
    ];
    let mut peers = BTreeSet::new();
    if worlds.iter().all(|world| nets.contains(world)) {
        nets.retain(|net| !worlds.contains(net));
        peers.insert(Peer::Internet);
    }
    peers.extend(nets.into_iter().map(Peer::Cidr));
    peers
}

impl Seen {
    /// Adds rules; the first has this name, and the others one that begins with it.
    fn put(&mut self, name: &str, parts: Vec<Part>) {
        for (index, (direction, protocol, peers, ports)) in parts.into_iter().enumerate() {
            let name = match index {
                0 => name.to_owned(),
                index => format!("{name}-{}", index + 1),
            };
            let Ok(name) = Name::new(&name) else { continue };
            self.rules.insert(FirewallRule {
                name,
                direction,
                peers,
                protocol,
                ports,
            });
        }
    }
}

impl Row {
    fn of(element: &Element) -> Self {
        let attributes = |element: &Element| -> BTreeMap<String, String> {
            let pairs = element.attributes.iter();
            pairs
                .map(|(key, value)| (key.clone(), plain(key, value)))
                .collect()
        };
        let mut own = attributes(element);
        if element.name == "rule" {
            // What libvirt takes a rule without it for.
            let usual = || ADMIT.to_string();
            own.entry("priority".to_owned()).or_insert_with(usual);
        }
        let matches = element.children.iter();
        Self {
            name: element.name.clone(),
            attributes: own,
            matches: matches
                .map(|child| (child.name.clone(), attributes(child)))
                .collect(),
        }
    }

    /// What it admits, if it is of the form that a firewall's rules become.
    fn atom(&self) -> Option<Atom> {
        let [(kind, matched)] = self.matches.as_slice() else {
            return None;
        };
        let has = |key: &str, value: &str| self.attributes.get(key).is_some_and(|is| is == value);
        let usual = self.name == "rule" && has("action", "accept");
        if !usual || !has("priority", &ADMIT.to_string()) || self.attributes.len() != 3 {
            return None;
        }
        let (direction, side) = match self.attributes.get("direction")?.as_str() {
            "in" => (Direction::Ingress, "src"),
            "out" => (Direction::Egress, "dst"),
            _ => return None,
        };
        let (protocol, v6) = match kind.as_str() {
            "tcp" => (Protocol::Tcp, false),
            "tcp-ipv6" => (Protocol::Tcp, true),
            "udp" => (Protocol::Udp, false),
            "udp-ipv6" => (Protocol::Udp, true),
            "icmp" => (Protocol::Icmp, false),
            "icmpv6" => (Protocol::Icmp, true),
            "all" => (Protocol::Any, false),
            "all-ipv6" => (Protocol::Any, true),
            _ => return None,
        };
        let mut rest = matched.clone();
        let address = rest.remove(&format!("{side}ipaddr"));
        let mask = rest.remove(&format!("{side}ipmask"));
        let net = match (address, v6) {
            (None, false) => IpNet::V4(ipnet::Ipv4Net::default()),
            (None, true) => IpNet::V6(ipnet::Ipv6Net::default()),
            (Some(address), _) => {
                let address: IpAddr = address.parse().ok()?;
                let longest = if address.is_ipv6() { 128 } else { 32 };
                let prefix = mask.map_or(Some(longest), |mask| mask.parse().ok())?;
                IpNet::new(address, prefix).ok()?.trunc()
            }
        };
        let first = rest.remove("dstportstart");
        let last = rest.remove("dstportend");
        let ports = match first {
            None => None,
            Some(first) => Some(PortRange {
                first: first.parse().ok()?,
                last: last.unwrap_or(first).parse().ok()?,
            }),
        };
        rest.is_empty().then_some(Atom {
            direction,
            protocol,
            net,
            ports,
        })
    }
}

impl Atom {
    /// Whether a rule that names a firewall says this of some machine.
    fn may_be_of_member(&self, rule: &FirewallRule<ResourceId>) -> bool {
        let ports_fit = match self.ports {
            None => rule.ports.is_empty(),
            Some(ports) => rule.ports.contains(&ports),
        };
        let is_one = matches!(self.net, IpNet::V4(net) if net.prefix_len() == 32);
        let names = rule.peers.iter().any(|peer| peer.firewall().is_some());
        let is_same = (rule.direction, rule.protocol) == (self.direction, self.protocol);
        is_one && names && is_same && ports_fit
    }
}

/// An attribute's value: masks as lengths, whichever way they were written.
fn plain(key: &str, value: &str) -> String {
    let dotted = value
        .parse::<Ipv4Addr>()
        .ok()
        .filter(|_| key.ends_with("ipmask"));
    let length = dotted.and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok());
    length.map_or_else(|| value.to_owned(), |length| length.to_string())
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let get = |key: &str| self.attributes.get(key).map_or("", String::as_str);
        if self.name == "filterref" {
            return write!(f, "the filter {}", get("filter"));
        }
        write!(f, "{} {}", get("action"), get("direction"))?;
        for (kind, matched) in &self.matches {
            write!(f, " {kind}")?;
            for (key, value) in matched {
                write!(f, " {key}={value}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::firewall_xml;
    use super::*;

    fn rule(name: &str, peer: Peer<ResourceId>, ports: &[u16]) -> FirewallRule<ResourceId> {
        let ports = ports.iter();
        FirewallRule {
            name: Name::new(name).expect("name"),
            direction: Direction::Ingress,
            peers: BTreeSet::from([peer]),
            protocol: Protocol::Tcp,
            ports: ports
                .map(|port| PortRange {
                    first: *port,
                    last: *port,
                })
                .collect(),
        }
    }

    fn members(ips: &[&str]) -> Members {
        let ips = ips.iter().map(|ip| ip.parse().expect("ip"));
        Members::from([("db".to_owned(), ips.collect())])
    }

    /// What is made of rules is read back as those rules.
    #[test]
    fn nothing_changed_is_nothing_seen() {
        let asked = BTreeSet::from([
            rule("web", Peer::Internet, &[80, 443]),
            rule("db", Peer::Firewall(ResourceId::from("db")), &[5432]),
            rule(
                "lan",
                Peer::Cidr("10.1.0.0/16".parse().expect("range")),
                &[],
            ),
        ]);
        let own = members(&["10.0.0.5"]);
        let filter = firewall_xml("f", &asked, &own);
        let seen = seen(&asked, &filter, &own, &own);
        assert_eq!(seen.rules, asked);
        assert!(seen.more.is_empty() && seen.lacks.is_empty(), "{seen:?}");
    }

    #[test]
    fn what_came_and_what_went_is_told() {
        let asked = BTreeSet::from([rule("web", Peer::Internet, &[80, 443])]);
        let mut filter = firewall_xml("f", &asked, &Members::new());
        // The first is port 80 of the fourth version.
        let rules = filter
            .children
            .iter()
            .position(|child| child.name == "rule");
        filter.children.remove(rules.expect("a rule"));
        let text = "<rule action='accept' direction='in' priority='500'>\
                    <tcp srcipaddr='192.0.2.0' srcipmask='255.255.255.0' dstportstart='22' dstportend='22'/></rule>";
        filter.children.push(Element::parse(text).expect("XML"));
        let odd = "<rule action='accept' direction='in'><mac protocolid='arp'/></rule>";
        filter.children.push(Element::parse(odd).expect("XML"));
        let seen = seen(&asked, &filter, &Members::new(), &Members::new());
        let ssh = Peer::Cidr("192.0.2.0/24".parse().expect("range"));
        assert!(
            seen.rules.contains(&rule("by-hand", ssh, &[22])),
            "{seen:?}"
        );
        assert!(
            !seen
                .rules
                .contains(&rule("web", Peer::Internet, &[80, 443]))
        );
        let v6 = Peer::Cidr("::/0".parse().expect("range"));
        assert!(
            seen.rules.iter().any(|one| one.peers.contains(&v6)),
            "{seen:?}"
        );
        assert_eq!(seen.more, ["accept in mac protocolid=arp"]);
    }

    /// Machines that come and go are no change of the rules.
    #[test]
    fn rules_of_machines_follow_them() {
        let asked = BTreeSet::from([rule("db", Peer::Firewall(ResourceId::from("db")), &[5432])]);
        let filter = firewall_xml("f", &asked, &members(&["10.0.0.5", "10.0.0.6"]));
        let check = |settled: &[&str], all: &[&str], more: usize, lacks: usize| {
            let seen = seen(&asked, &filter, &members(settled), &members(all));
            assert_eq!(seen.rules, asked);
            assert_eq!(
                (seen.more.len(), seen.lacks.len()),
                (more, lacks),
                "{seen:?}"
            );
        };
        check(&["10.0.0.5"], &["10.0.0.5", "10.0.0.6"], 0, 0);
        check(&["10.0.0.5"], &["10.0.0.5"], 1, 0);
        check(&["10.0.0.5", "10.0.0.6", "10.0.0.7"], &["10.0.0.7"], 2, 1);
    }

    #[test]
    fn a_filter_that_differs_says_in_what() {
        let wanted = "<filter name='m'><filterref filter='a.firewall'/>\
                      <rule action='drop' direction='inout' priority='1000'><all/></rule></filter>";
        let is = "<filter name='m' chain='root'>\
                  <rule direction='inout' priority='1000' action='drop'><all/></rule></filter>";
        let parse = |text| Element::parse(text).expect("XML");
        assert_eq!(differences(&parse(wanted), &parse(wanted)), None);
        assert_eq!(
            differences(&parse(wanted), &parse(is)).as_deref(),
            Some("without the filter a.firewall")
        );
    }
}
