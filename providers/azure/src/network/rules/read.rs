//! Security rules as they are, and what they come to.

use std::collections::BTreeSet;

use strat_model::{Direction, FirewallRule, Name, Peer, PortRange, Protocol, ResourceId};

use super::{ANY, End, INWARD, LAST, Row, Rows, protocol_word, row_name};
use crate::names::Place;
use crate::wire::{Ref, SecurityRule, Thing};

/// What is told where something is so although no rule says so.
const EVERYTHING_IN: &str = "everything-inward";
const EVERYTHING_OUT: &str = "everything-outward";
const NOTHING_OUT: &str = "nothing-outward";

/// The rules of a security group, as they are.
pub(crate) fn parse(rules: &[Thing<SecurityRule>]) -> Rows {
    let rows = rules.iter().map(|rule| {
        let is = &rule.properties;
        let direction = match is.direction.eq_ignore_ascii_case("Outbound") {
            true => Direction::Egress,
            false => Direction::Ingress,
        };
        let row = Row {
            direction,
            allows: is.access.eq_ignore_ascii_case("Allow"),
            protocol: is.protocol.clone(),
            from: end(
                is.source_address_prefix.as_deref(),
                &is.source_address_prefixes,
                &is.source_application_security_groups,
            ),
            to: end(
                is.destination_address_prefix.as_deref(),
                &is.destination_address_prefixes,
                &is.destination_application_security_groups,
            ),
            ports: ports(is),
            rule: is.description.clone().filter(|text| !text.is_empty()),
        };
        (rule.name.clone(), (row, is.priority))
    });
    rows.collect()
}

fn end(one: Option<&str>, more: &[String], groups: &[Ref]) -> End {
    if !groups.is_empty() {
        let ids = groups.iter().filter_map(|group| Place::of_path(&group.id));
        return End::Firewalls(ids.map(|place| place.id()).collect());
    }
    let ranges = one.into_iter().chain(more.iter().map(String::as_str));
    let ranges: BTreeSet<String> = ranges.map(str::to_owned).collect();
    match ranges.is_empty() || ranges.contains(ANY) {
        true => End::Any,
        false => End::Ranges(ranges),
    }
}

/// The ports of a rule; one that looks at where something comes from admits none of what it says here.
fn ports(rule: &SecurityRule) -> BTreeSet<String> {
    let one = rule.destination_port_range.iter();
    let all = one.chain(&rule.destination_port_ranges);
    let mut ports: BTreeSet<String> = all.filter(|port| *port != ANY).cloned().collect();
    let from = rule
        .source_port_range
        .iter()
        .chain(&rule.source_port_ranges);
    ports.extend(
        from.filter(|port| *port != ANY)
            .map(|port| format!("from {port}")),
    );
    ports
}

/// Whether what no rule admits is denied inward.
pub(super) fn denies_inward(is: &Rows) -> bool {
    is.get(INWARD).is_some_and(|(row, priority)| {
        let all = row.from == End::Any && row.to == End::Any && row.ports.is_empty();
        !row.allows
            && row.direction == Direction::Ingress
            && row.protocol == ANY
            && *priority == LAST
            && all
    })
}

/// The rules of a firewall, as the security group really has them. What something before it denies is no
/// rule, and what is admitted or denied against the rules is told as one.
pub(crate) fn read(firewall: &Place, is: &Rows) -> BTreeSet<FirewallRule<ResourceId>> {
    let id = firewall.id();
    let reaching: Vec<(&String, &Row, u32)> = is
        .iter()
        .map(|(name, (row, priority))| (name, row, *priority))
        .filter(|(_, row, _)| row.reaches(&id))
        .collect();
    let denied = |row: &Row, priority: u32| {
        let mut before = reaching.iter().filter(|(_, _, other)| *other < priority);
        before.any(|(_, other, _)| !other.allows && other.direction == row.direction)
    };
    let (open, shut) = (row_name(firewall, "open"), row_name(firewall, "shut"));
    let mut rules: Vec<FirewallRule<ResourceId>> = Vec::new();
    for (name, row, priority) in &reaching {
        if row.allows && **name != open && !denied(row, *priority) {
            read_row(name, row, &mut rules);
        }
    }
    let is_egress = |rule: &FirewallRule<ResourceId>| rule.direction == Direction::Egress;
    let has_egress = rules.iter().any(is_egress);
    let lets_out = reaching
        .iter()
        .any(|(name, row, priority)| **name == open && row.allows && !denied(row, *priority));
    let is_shut = reaching.iter().any(|(name, row, _)| {
        let all = row.to == End::Any && row.protocol == ANY && row.ports.is_empty();
        let ours = **name == shut || !matches!(row.own_end(), End::Firewalls(_));
        ours && !row.allows && row.direction == Direction::Egress && all
    });
    let told = match (has_egress, lets_out || !is_shut) {
        (true, true) => Some((EVERYTHING_OUT, Direction::Egress, true)),
        (false, false) => Some((NOTHING_OUT, Direction::Egress, false)),
        (true, false) | (false, true) => None,
    };
    let inward = (!denies_inward(is)).then_some((EVERYTHING_IN, Direction::Ingress, true));
    let told = told.into_iter().chain(inward);
    let told = told.filter_map(|(name, direction, everybody)| {
        Some(FirewallRule {
            name: Name::new(name).ok()?,
            direction,
            peers: everybody.then_some(Peer::Internet).into_iter().collect(),
            protocol: Protocol::Any,
            ports: BTreeSet::new(),
        })
    });
    rules.iter().cloned().chain(told).collect()
}

/// The name of the rule that a row tells of: what it notes, or what is left of its own name.
fn rule_name(name: &str, row: &Row) -> Option<Name> {
    let noted = row.rule.as_deref().and_then(|rule| Name::new(rule).ok());
    let own = || {
        let plain = name.chars().map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => c,
            _ => '-',
        });
        let plain: String = plain.take(60).collect();
        Name::new(format!("r-{}", plain.trim_matches('-'))).ok()
    };
    noted.or_else(own)
}

/// Adds what a row admits: to the rule of the same name that admits the same to others, or as a new one.
fn read_row(name: &str, row: &Row, rules: &mut Vec<FirewallRule<ResourceId>>) {
    let peers: BTreeSet<Peer<ResourceId>> = match row.other_end() {
        End::Any => BTreeSet::from([Peer::Internet]),
        End::Ranges(ranges) => ranges
            .iter()
            .filter_map(|range| range.parse().ok().map(Peer::Cidr))
            .collect(),
        End::Firewalls(ids) => ids.iter().cloned().map(Peer::Firewall).collect(),
    };
    let known = [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Any];
    let is = |one: &Protocol| protocol_word(*one).eq_ignore_ascii_case(&row.protocol);
    let (Some(name), Some(protocol)) = (rule_name(name, row), known.into_iter().find(is)) else {
        return;
    };
    let ports: BTreeSet<PortRange> = row.ports.iter().filter_map(|p| p.parse().ok()).collect();
    let same = rules.iter_mut().find(|rule| {
        (&rule.name, rule.direction, rule.protocol) == (&name, row.direction, protocol)
            && rule.ports == ports
    });
    match same {
        Some(rule) => rule.peers.extend(peers),
        None => rules.push(FirewallRule {
            name,
            direction: row.direction,
            peers,
            protocol,
            ports,
        }),
    }
}
