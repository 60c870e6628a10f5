//! A firewall's rules as Google's firewall rules.
//!
//! Google has no firewall that is a thing: it has rules of a network, each for the machines that carry
//! a network tag. A firewall here is a tag of the firewall's name, and these rules for it:
//!
//! | Google's rule | what it does |
//! |---|---|
//! | `NAME` | allows all outward, at priority 65533; it carries the mark. Disabled where the firewall has an egress rule of its own |
//! | `NAME-…` | one for each rule: allows it, at priority 1000 |
//! | `NAME-…` (shut) | denies all outward, at priority 65534; only where the firewall has an egress rule |
//!
//! So a machine of two firewalls is admitted what either admits, outward too, as everywhere else. What
//! no rule admits inward is refused by the network itself. A rule of IPv4 and IPv6 ranges is two there.
//! Machines have IPv4 addresses alone, so everybody is `0.0.0.0/0`.
//!
//! <https://cloud.google.com/firewall/docs/firewalls>

use std::collections::{BTreeMap, BTreeSet};

use google_cloud_compute_v1::model::Firewall;
use google_cloud_compute_v1::model::firewall::{Allowed, Denied, Direction as Way};
use ipnet::IpNet;
use strat_model::{
    Direction, ErrorKind, FirewallRule, FirewallSpec, Name, Peer, PortRange, Protocol, ResourceId,
    Result,
};

use crate::error::refuse;
use crate::names::with_digest;
use crate::notes::{Described as _, Note};

/// Where a row's note has the firewall that it is of.
pub(crate) const OF: &str = "of";
/// Where it has the name of the rule.
const RULE: &str = "rule";
/// Where it has that everybody is written as a range.
const AS_RANGE: &str = "everybody";

/// Everybody.
const ALL: &str = "0.0.0.0/0";
/// Every protocol.
const ANY: &str = "all";
/// What sets the row apart that refuses everything outward.
const SHUT: &str = "shut";

const RULE_PRIORITY: i32 = 1000;
const OUTWARD_PRIORITY: i32 = 65_533;
const SHUT_PRIORITY: i32 = 65_534;

/// The name of the rule that is told where everything is admitted outward although rules say what is.
const EVERYTHING: &str = "everything-outward";
/// The name of the rule that is told where nothing is admitted outward although no rule says so.
const NOTHING: &str = "nothing-outward";

/// Google's rules of one firewall, by name.
pub(crate) type Rows = BTreeMap<String, Firewall>;

/// Whether a firewall has an egress rule.
pub(crate) fn has_egress(spec: &FirewallSpec<ResourceId>) -> bool {
    let mut rules = spec.rules.iter();
    rules.any(|rule| rule.direction == Direction::Egress)
}

/// The rule that is the firewall, without its note.
pub(crate) fn anchor(name: &str, network: &str, disabled: bool) -> Firewall {
    row(name, network, Way::Egress, OUTWARD_PRIORITY, name)
        .set_allowed([Allowed::new().set_ip_protocol(ANY)])
        .set_destination_ranges([ALL])
        .set_disabled(disabled)
}

/// Whether one of Google's rules is such a one: it goes outward, for the tag of its own name.
pub(crate) fn is_anchor(row: &Firewall) -> bool {
    let own_tag = row.name.iter().eq(row.target_tags.iter());
    own_tag && row.direction == Some(Way::Egress)
}

/// What the names of all rows of a firewall begin with.
pub(crate) fn head(name: &str) -> String {
    let row = with_digest(name, SHUT);
    row.rsplit_once('-')
        .map_or(row.clone(), |(head, _)| head.to_owned())
}

fn row(name: &str, network: &str, way: Way, priority: i32, tag: &str) -> Firewall {
    Firewall::new()
        .set_name(name)
        .set_network(network)
        .set_direction(way)
        .set_priority(priority)
        .set_target_tags([tag])
}

/// The other rules of a firewall of this name.
pub(crate) fn rows(name: &str, network: &str, spec: &FirewallSpec<ResourceId>) -> Result<Rows> {
    let mut rows = Rows::new();
    for rule in &spec.rules {
        for one in rows_of(name, network, rule)? {
            rows.insert(one.name.clone().unwrap_or_default(), one);
        }
    }
    if has_egress(spec) {
        let shut = with_digest(name, SHUT);
        let body = row(&shut, network, Way::Egress, SHUT_PRIORITY, name)
            .set_denied([Denied::new().set_ip_protocol(ANY)])
            .set_destination_ranges([ALL])
            .set_description(Note::default().with(OF, name).write()?);
        rows.insert(shut, body);
    }
    Ok(rows)
}

/// The rows of one rule: one for its IPv4 ranges and firewalls, one for its IPv6 ranges.
fn rows_of(name: &str, network: &str, rule: &FirewallRule<ResourceId>) -> Result<Vec<Firewall>> {
    let (mut v4, mut v6, mut tags) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut note = Note::default()
        .with(OF, name)
        .with(RULE, rule.name.as_str());
    for peer in &rule.peers {
        match peer {
            Peer::Internet => drop(v4.insert(ALL.to_owned())),
            Peer::Cidr(IpNet::V4(range)) => {
                if range.to_string() == ALL {
                    note = note.with(AS_RANGE, "range");
                }
                v4.insert(range.to_string());
            }
            Peer::Cidr(IpNet::V6(range)) => drop(v6.insert(range.to_string())),
            Peer::Firewall(firewall) => drop(tags.insert(firewall.to_string())),
        }
    }
    if rule.direction == Direction::Egress && !tags.is_empty() {
        let message = format!(
            "the egress rule `{}` names a firewall, and Google's rules outward know ranges alone",
            rule.name
        );
        let help = "name the range of the subnet in which its machines are";
        return Err(refuse(ErrorKind::Invalid, message).with_help(help));
    }
    let way = match rule.direction {
        Direction::Ingress => Way::Ingress,
        Direction::Egress => Way::Egress,
    };
    let ports = rule.ports.iter().map(ToString::to_string);
    let allowed = Allowed::new()
        .set_ip_protocol(protocol_word(rule.protocol))
        .set_ports(ports);
    let body = |family: &str, ranges: &BTreeSet<String>, tags: &BTreeSet<String>| {
        let apart = format!("{way:?} {} {family}", rule.name);
        let body = row(
            &with_digest(name, &apart),
            network,
            way.clone(),
            RULE_PRIORITY,
            name,
        )
        .set_allowed([allowed.clone()])
        .set_description(note.write()?);
        Ok(match rule.direction {
            Direction::Ingress => body.set_source_ranges(ranges).set_source_tags(tags),
            Direction::Egress => body.set_destination_ranges(ranges),
        })
    };
    let mut rows = Vec::new();
    if !v4.is_empty() || !tags.is_empty() {
        rows.push(body("ipv4", &v4, &tags)?);
    }
    if !v6.is_empty() {
        rows.push(body("ipv6", &v6, &BTreeSet::new())?);
    }
    Ok(rows)
}

const fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Any => ANY,
    }
}

/// Whether two rows say the same, as far as they are ours to say.
pub(crate) fn is_same(one: &Firewall, other: &Firewall) -> bool {
    let sorted = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<String>>();
    let lists = |row: &Firewall| {
        let of = [
            &row.source_ranges,
            &row.source_tags,
            &row.destination_ranges,
            &row.target_tags,
            &row.source_service_accounts,
            &row.target_service_accounts,
        ];
        of.map(|list| sorted(list))
    };
    let admits = |row: &Firewall| {
        let one = |entry: &Allowed| (entry.ip_protocol.clone(), sorted(&entry.ports));
        row.allowed.iter().map(one).collect::<Vec<_>>()
    };
    lists(one) == lists(other)
        && admits(one) == admits(other)
        && one.denied.len() == other.denied.len()
        && one.direction == other.direction
        && one.priority == other.priority
        && one.disabled.unwrap_or_default() == other.disabled.unwrap_or_default()
        && one.description == other.description
}

/// Whether a row counts: it is switched on, and for the machines of this firewall.
fn counts(row: &Firewall, name: &str, priority: i32) -> bool {
    !row.disabled.unwrap_or_default()
        && row.target_tags == [name]
        && row.priority == Some(priority)
        && row.source_service_accounts.is_empty()
        && row.target_service_accounts.is_empty()
}

/// The rules of a firewall of ours, as Google's rules really are. What is switched off, shadowed or
/// for other machines is no rule; and what goes outward against the rules is told as one.
pub(crate) fn read(anchor: &Firewall, rows: &Rows) -> BTreeSet<FirewallRule<ResourceId>> {
    let name = anchor.name.as_deref().unwrap_or_default();
    let mut rules: Vec<FirewallRule<ResourceId>> = Vec::new();
    let mut shut = false;
    for row in rows.values() {
        let note = Note::read(row.description.as_deref());
        let rule = note.more.get(RULE).and_then(|rule| Name::new(rule).ok());
        match rule {
            Some(rule) if counts(row, name, RULE_PRIORITY) => {
                read_row(row, &rule, note.more.contains_key(AS_RANGE), &mut rules);
            }
            Some(_) => {}
            None => shut |= counts(row, name, SHUT_PRIORITY) && !row.denied.is_empty(),
        }
    }
    let is_egress = |rule: &FirewallRule<ResourceId>| rule.direction == Direction::Egress;
    let open = counts(anchor, name, OUTWARD_PRIORITY) && !anchor.allowed.is_empty();
    let told = match (rules.iter().any(is_egress), open || !shut) {
        (true, true) => Some((EVERYTHING, BTreeSet::from([Peer::Internet]))),
        (false, false) => Some((NOTHING, BTreeSet::new())),
        (true, false) | (false, true) => None,
    };
    let told = told.and_then(|(name, peers)| {
        Some(FirewallRule {
            name: Name::new(name).ok()?,
            direction: Direction::Egress,
            peers,
            protocol: Protocol::Any,
            ports: BTreeSet::new(),
        })
    });
    rules.into_iter().chain(told).collect()
}

/// The rules of a row that is nobody's of ours.
pub(crate) fn read_foreign(row: &Firewall) -> BTreeSet<FirewallRule<ResourceId>> {
    let mut rules = Vec::new();
    let name = row.name.as_deref().and_then(|name| Name::new(name).ok());
    if let Some(name) = name.filter(|_| !row.disabled.unwrap_or_default()) {
        read_row(row, &name, false, &mut rules);
    }
    rules.into_iter().collect()
}

/// Adds what a row admits: to the rule of the same name that admits the same to others, or as a new
/// one.
fn read_row(
    row: &Firewall,
    name: &Name,
    as_range: bool,
    rules: &mut Vec<FirewallRule<ResourceId>>,
) {
    let (direction, ranges) = match &row.direction {
        Some(Way::Egress) => (Direction::Egress, &row.destination_ranges),
        _ => (Direction::Ingress, &row.source_ranges),
    };
    let range = |text: &String| match text.as_str() {
        ALL if !as_range => Some(Peer::Internet),
        text => text.parse().ok().map(Peer::Cidr),
    };
    let tags = row
        .source_tags
        .iter()
        .map(|tag| Peer::Firewall(ResourceId::from(tag)));
    let peers: BTreeSet<Peer<ResourceId>> = ranges.iter().filter_map(range).chain(tags).collect();
    for entry in &row.allowed {
        let word = entry.ip_protocol.as_deref().unwrap_or_default();
        let known = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Any];
        let Some(protocol) = known.into_iter().find(|one| protocol_word(*one) == word) else {
            continue;
        };
        let ports: BTreeSet<PortRange> =
            entry.ports.iter().filter_map(|p| p.parse().ok()).collect();
        let same = rules.iter_mut().find(|rule| {
            (&rule.name, rule.direction, rule.protocol) == (name, direction, protocol)
                && rule.ports == ports
        });
        match same {
            Some(rule) => rule.peers.extend(peers.clone()),
            None => rules.push(FirewallRule {
                name: name.clone(),
                direction,
                peers: peers.clone(),
                protocol,
                ports,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use strat_model::Labels;

    use super::*;

    fn rule(name: &str, way: Direction, peers: &[Peer<ResourceId>]) -> FirewallRule<ResourceId> {
        FirewallRule {
            name: Name::new(name).expect("name"),
            direction: way,
            peers: peers.iter().cloned().collect(),
            protocol: Protocol::Tcp,
            ports: [
                "80".parse().expect("port"),
                "8000-8010".parse().expect("ports"),
            ]
            .into(),
        }
    }

    fn spec(rules: &[FirewallRule<ResourceId>]) -> FirewallSpec<ResourceId> {
        FirewallSpec {
            network: ResourceId::from("net"),
            rules: rules.iter().cloned().collect(),
            labels: Labels::new(),
        }
    }

    fn range(text: &str) -> Peer<ResourceId> {
        Peer::Cidr(text.parse().expect("a range"))
    }

    #[test]
    fn rules_come_back_as_they_were_written() {
        let other = Peer::Firewall(ResourceId::from("web"));
        for rules in [
            vec![],
            vec![rule("http", Direction::Ingress, &[Peer::Internet])],
            vec![rule(
                "http",
                Direction::Ingress,
                &[range("0.0.0.0/0"), range("10.0.0.0/8"), other],
            )],
            vec![rule(
                "v6",
                Direction::Ingress,
                &[range("10.0.0.0/8"), range("fd00::/8")],
            )],
            vec![
                rule("same", Direction::Ingress, &[range("10.0.0.0/8")]),
                rule("same", Direction::Egress, &[range("10.1.0.0/16")]),
            ],
        ] {
            let wanted = spec(&rules);
            let rows = rows("fw", "n", &wanted).expect("rows");
            let anchor = anchor("fw", "n", has_egress(&wanted));
            assert_eq!(read(&anchor, &rows), wanted.rules, "{rules:?}");
            assert!(rows.keys().all(|name| crate::names::is_name(name)));
        }
    }

    #[test]
    fn what_somebody_changes_by_hand_is_seen() {
        let wanted = spec(&[
            rule("http", Direction::Ingress, &[Peer::Internet]),
            rule("out", Direction::Egress, &[range("10.1.0.0/16")]),
        ]);
        let made = rows("fw", "n", &wanted).expect("rows");
        let anchored = anchor("fw", "n", true);
        for name in made.keys() {
            for change in 0..4 {
                let mut rows = made.clone();
                let row = rows.get_mut(name).expect("a row");
                match change {
                    0 => row.disabled = Some(true),
                    1 => row.target_tags = vec!["other".to_owned()],
                    2 => row.priority = Some(65_535),
                    _ => drop(rows.remove(name)),
                }
                assert_ne!(read(&anchored, &rows), wanted.rules, "{name} {change}");
            }
        }
        assert_ne!(read(&anchor("fw", "n", false), &made), wanted.rules);
    }

    #[test]
    fn outward_to_a_firewall_is_refused() {
        let to = Peer::Firewall(ResourceId::from("db"));
        let wanted = spec(&[rule("out", Direction::Egress, &[to])]);
        assert_eq!(
            rows("fw", "n", &wanted).expect_err("refused").kind(),
            ErrorKind::Invalid
        );
    }
}
