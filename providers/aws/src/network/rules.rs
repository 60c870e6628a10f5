//! Firewall rules as the rows of a security group, and back.
//!
//! A rule with several peers and ports becomes one row for each pair of them: that is what a
//! security group holds. A row's description names the rules that want it, each as `<name>`, or as
//! `<name>@internet` where it is half of [`Peer::Internet`] (one row for IPv4, one for IPv6).
//! So two rules may share a row, and a rule reads back exactly as it was written.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::builders::IpPermissionBuilder;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, UserIdGroupPair};
use ipnet::IpNet;
use strat_model::{Direction, FirewallRule, Name, Peer, PortRange, Protocol, ResourceId};

type Rule = FirewallRule<ResourceId>;

/// What follows the name of a rule that admits everybody.
const INTERNET: &str = "@internet";

/// One row of a security group, without its description.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) direction: Direction,
    protocol: String,
    /// The first and last port; -1 where the protocol has none.
    ports: (i32, i32),
    target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Range(IpNet),
    Group(String),
    /// Something that no rule of ours makes, such as a prefix list.
    Other(String),
}

/// Rows and their descriptions.
pub(super) type Rows = BTreeMap<Row, String>;

/// The row that a security group is born with: everything outward to IPv4 is admitted.
fn open_egress() -> Row {
    Row {
        direction: Direction::Egress,
        protocol: "-1".to_owned(),
        ports: (-1, -1),
        target: Target::Range(everywhere().0),
    }
}

fn everywhere() -> (IpNet, IpNet) {
    let v4 = ipnet::Ipv4Net::default();
    (IpNet::V4(v4), IpNet::V6(ipnet::Ipv6Net::default()))
}

/// The rows that these rules want.
pub(super) fn rows_of(rules: &BTreeSet<Rule>) -> Rows {
    let mut wanted: BTreeMap<Row, BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        for peer in &rule.peers {
            for (target, word) in targets(peer, &rule.name) {
                for ports in port_pairs(rule) {
                    let row = Row {
                        direction: rule.direction,
                        protocol: protocol_of(rule.protocol, &target).to_owned(),
                        ports,
                        target: target.clone(),
                    };
                    wanted.entry(row).or_default().insert(word.clone());
                }
            }
        }
    }
    if !rules.iter().any(|rule| rule.direction == Direction::Egress) {
        wanted.insert(open_egress(), BTreeSet::new());
    }
    let described = wanted.into_iter().map(|(row, words)| {
        let words: Vec<String> = words.into_iter().collect();
        (row, words.join(" "))
    });
    described.collect()
}

fn targets(peer: &Peer<ResourceId>, name: &Name) -> Vec<(Target, String)> {
    match peer {
        Peer::Internet => {
            let (v4, v6) = everywhere();
            let word = format!("{name}{INTERNET}");
            vec![(Target::Range(v4), word.clone()), (Target::Range(v6), word)]
        }
        Peer::Cidr(range) => vec![(Target::Range(range.trunc()), name.to_string())],
        Peer::Firewall(id) => vec![(Target::Group(id.to_string()), name.to_string())],
    }
}

fn port_pairs(rule: &Rule) -> Vec<(i32, i32)> {
    match rule.protocol {
        Protocol::Icmp | Protocol::Any => vec![(-1, -1)],
        Protocol::Tcp | Protocol::Udp if rule.ports.is_empty() => vec![(0, 65535)],
        Protocol::Tcp | Protocol::Udp => {
            let pair = |range: &PortRange| (i32::from(range.first), i32::from(range.last));
            rule.ports.iter().map(pair).collect()
        }
    }
}

fn protocol_of(protocol: Protocol, target: &Target) -> &'static str {
    match (protocol, target) {
        (Protocol::Tcp, _) => "tcp",
        (Protocol::Udp, _) => "udp",
        (Protocol::Icmp, Target::Range(IpNet::V6(_))) => "icmpv6",
        (Protocol::Icmp, _) => "icmp",
        (Protocol::Any, _) => "-1",
    }
}

/// The rules that rows stand for.
///
/// Rows that no rule of ours could have made come back as rules too, under a name that says what
/// they are, so that they show as a difference.
pub(super) fn rules_of(rows: &Rows) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    let egress = rows.keys().any(|row| row.direction == Direction::Egress);
    let mut pieces: BTreeMap<(Direction, String, Protocol), Pairs> = BTreeMap::new();
    let mut halves: BTreeMap<(Direction, String, Protocol, Ports), Vec<IpNet>> = BTreeMap::new();
    for (row, description) in rows {
        if *row == open_egress() && description.is_empty() {
            continue;
        }
        let protocol = protocol_in(&row.protocol);
        let mut words: Vec<String> = description.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() || protocol.is_none() {
            words = vec![unnamed(row)];
        }
        let protocol = protocol.unwrap_or(Protocol::Any);
        for word in words {
            match (word.strip_suffix(INTERNET), &row.target) {
                (Some(name), Target::Range(range)) if range.prefix_len() == 0 => {
                    let key = (row.direction, name.to_owned(), protocol, row.ports);
                    halves.entry(key).or_default().push(*range);
                }
                (_, target) => {
                    let key = (row.direction, word, protocol);
                    let peers = pieces.entry(key).or_default();
                    peers.insert((peer_of(target), row.ports));
                }
            }
        }
    }
    for ((direction, name, protocol, ports), ranges) in halves {
        let piece = match ranges.as_slice() {
            [_, _] => Peer::Internet,
            [range, ..] => Peer::Cidr(*range),
            [] => continue,
        };
        let peers = pieces.entry((direction, name, protocol)).or_default();
        peers.insert((piece, ports));
    }
    for ((direction, name, protocol), pairs) in pieces {
        let name = Name::new(&name).or_else(|_| Name::new(dashed(&name)));
        if let Ok(name) = name {
            rules.extend(joined(direction, &name, protocol, &pairs));
        }
    }
    if !egress {
        // Nothing outward is admitted, which no set of rules asks for by having none.
        rules.extend(Name::new("nothing").map(|name| FirewallRule {
            name,
            direction: Direction::Egress,
            peers: BTreeSet::new(),
            protocol: Protocol::Any,
            ports: BTreeSet::new(),
        }));
    }
    rules
}

/// The first and last port.
type Ports = (i32, i32);

/// Whom a rule admits, and where to.
type Pairs = BTreeSet<(Peer<ResourceId>, Ports)>;

/// One rule, where the pairs are all pairs of some peers and some ports; else one for each peer.
fn joined(direction: Direction, name: &Name, protocol: Protocol, pairs: &Pairs) -> Vec<Rule> {
    let peers: BTreeSet<_> = pairs.iter().map(|(peer, _)| peer.clone()).collect();
    let ports: BTreeSet<_> = pairs.iter().map(|(_, ports)| *ports).collect();
    let rule = |peers: BTreeSet<_>, ports: &BTreeSet<Ports>| FirewallRule {
        name: name.clone(),
        direction,
        peers,
        protocol,
        ports: ports.iter().filter_map(|ports| range_of(*ports)).collect(),
    };
    if peers.len() * ports.len() == pairs.len() {
        return vec![rule(peers, &ports)];
    }
    let of_one = |peer: Peer<ResourceId>| {
        let own = pairs.iter().filter(|(other, _)| *other == peer);
        let own: BTreeSet<Ports> = own.map(|(_, ports)| *ports).collect();
        rule(BTreeSet::from([peer]), &own)
    };
    peers.into_iter().map(of_one).collect()
}

fn range_of((first, last): Ports) -> Option<PortRange> {
    let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last).ok()?);
    ((first, last) != (0, u16::MAX)).then_some(PortRange { first, last })
}

fn protocol_in(text: &str) -> Option<Protocol> {
    match text {
        "tcp" | "6" => Some(Protocol::Tcp),
        "udp" | "17" => Some(Protocol::Udp),
        "icmp" | "1" | "icmpv6" | "58" => Some(Protocol::Icmp),
        "-1" => Some(Protocol::Any),
        _ => None,
    }
}

fn peer_of(target: &Target) -> Peer<ResourceId> {
    match target {
        Target::Range(range) => Peer::Cidr(*range),
        Target::Group(id) | Target::Other(id) => Peer::Firewall(ResourceId::from(id)),
    }
}

/// A name for a row that carries none.
fn unnamed(row: &Row) -> String {
    let target = match &row.target {
        Target::Range(range) => range.to_string(),
        Target::Group(id) | Target::Other(id) => id.clone(),
    };
    let text = format!("unnamed-{}-{}-{target}", row.protocol, row.ports.0);
    dashed(&text)
}

fn dashed(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let text = text.chars().map(|c| if keep(c) { c } else { '-' });
    let text: String = text.take(60).collect();
    format!("x{text}").replacen("xunnamed", "unnamed", 1)
}

/// The rows that the SDK reports.
pub(super) fn read(direction: Direction, permissions: &[IpPermission]) -> Rows {
    let mut rows = Rows::new();
    for permission in permissions {
        let protocol = permission.ip_protocol().unwrap_or("-1").to_owned();
        let first = permission.from_port().unwrap_or(-1);
        let last = permission.to_port().unwrap_or(-1);
        // Every protocol has every port, however that is told.
        let ports = if protocol == "-1" {
            (-1, -1)
        } else {
            (first, last)
        };
        let mut put = |target: Target, description: Option<&str>| {
            let row = Row {
                direction,
                protocol: protocol.clone(),
                ports,
                target,
            };
            rows.insert(row, description.unwrap_or_default().to_owned());
        };
        let range = |text: Option<&str>| {
            let text = text.unwrap_or_default();
            let parsed = text.parse().map(Target::Range);
            parsed.unwrap_or_else(|_| Target::Other(text.to_owned()))
        };
        for ip in permission.ip_ranges() {
            put(range(ip.cidr_ip()), ip.description());
        }
        for ip in permission.ipv6_ranges() {
            put(range(ip.cidr_ipv6()), ip.description());
        }
        for pair in permission.user_id_group_pairs() {
            let id = pair.group_id().unwrap_or_default().to_owned();
            put(Target::Group(id), pair.description());
        }
        for list in permission.prefix_list_ids() {
            let id = list.prefix_list_id().unwrap_or_default().to_owned();
            put(Target::Other(id), list.description());
        }
    }
    rows
}

/// Rows as the SDK takes them: one permission for all rows of one protocol and range of ports.
pub(super) fn write<'a>(
    rows: impl IntoIterator<Item = (&'a Row, &'a String)>,
) -> Vec<IpPermission> {
    let mut grouped: BTreeMap<(&str, Ports), IpPermissionBuilder> = BTreeMap::new();
    for (row, description) in rows {
        let key = (row.protocol.as_str(), row.ports);
        let builder = grouped.remove(&key).unwrap_or_else(|| {
            let builder = IpPermission::builder().ip_protocol(&row.protocol);
            match row.protocol.as_str() {
                "-1" => builder,
                _ => builder.from_port(row.ports.0).to_port(row.ports.1),
            }
        });
        let words = (!description.is_empty()).then(|| description.clone());
        let builder = match &row.target {
            Target::Range(range @ IpNet::V4(_)) => builder.ip_ranges(
                IpRange::builder()
                    .cidr_ip(range.to_string())
                    .set_description(words)
                    .build(),
            ),
            Target::Range(range @ IpNet::V6(_)) => builder.ipv6_ranges(
                Ipv6Range::builder()
                    .cidr_ipv6(range.to_string())
                    .set_description(words)
                    .build(),
            ),
            Target::Group(id) => builder.user_id_group_pairs(
                UserIdGroupPair::builder()
                    .group_id(id)
                    .set_description(words)
                    .build(),
            ),
            Target::Other(id) => builder.prefix_list_ids(
                aws_sdk_ec2::types::PrefixListId::builder()
                    .prefix_list_id(id)
                    .build(),
            ),
        };
        grouped.insert(key, builder);
    }
    grouped
        .into_values()
        .map(IpPermissionBuilder::build)
        .collect()
}
