//! A firewall's rules as security rules.
//!
//! A machine's network interface has one network security group and any number of application security
//! groups. So a firewall is an application security group, and all rules of all firewalls of a network
//! are in one network security group, `NETWORK_rules`, that every machine's interface names:
//!
//! | rule | what it does | priorities |
//! |---|---|---|
//! | `FIREWALL.in.RULE.KIND`, `FIREWALL.out.RULE.KIND` | allows it: one for everybody, for IPv4 ranges, for IPv6 ranges, for firewalls | 100 to 2999 |
//! | `FIREWALL.open` | allows everything outward; only where the firewall has no egress rule | 100 to 2999 |
//! | `FIREWALL.shut` | denies everything outward; only where it has one | 3000 to 4095 |
//! | `stratiform_inward` | denies everything inward, to every machine of the network | 4096 |
//!
//! So a machine of two firewalls is admitted what either admits, outward too, as everywhere else.
//!
//! <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>

mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use serde_json::{Value, json};
use strat_model::{
    Direction, ErrorKind, FirewallRule, FirewallSpec, Peer, Protocol, ResourceId, Result,
};

use self::read::denies_inward;
pub(crate) use self::read::{parse, read};
use crate::error::refuse;
use crate::names::{Place, shortened};

/// Everybody, everything.
const ANY: &str = "*";
/// The rule that denies everything inward.
pub(crate) const INWARD: &str = "stratiform_inward";
/// The longest name of a rule.
const NAME_MAX: usize = 80;

const ALLOWS: RangeInclusive<u32> = 100..=2999;
const SHUTS: RangeInclusive<u32> = 3000..=4095;
const LAST: u32 = 4096;

/// The security group of a network: its name.
pub(crate) fn group_name(network: &str) -> String {
    format!("{network}_rules")
}

/// One end of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Any,
    Ranges(BTreeSet<String>),
    /// Firewalls, by id.
    Firewalls(BTreeSet<ResourceId>),
}

/// A security rule, but for its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    direction: Direction,
    allows: bool,
    protocol: String,
    from: End,
    to: End,
    ports: BTreeSet<String>,
    /// The name of the topology's rule.
    rule: Option<String>,
}

/// Rows by name, with their priorities.
pub(crate) type Rows = BTreeMap<String, (Row, u32)>;

const fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "Tcp",
        Protocol::Udp => "Udp",
        Protocol::Icmp => "Icmp",
        Protocol::Any => ANY,
    }
}

impl Row {
    fn of(direction: Direction, allows: bool, firewall: &ResourceId) -> Self {
        let own = End::Firewalls(BTreeSet::from([firewall.clone()]));
        let (from, to) = match direction {
            Direction::Ingress => (End::Any, own),
            Direction::Egress => (own, End::Any),
        };
        Self {
            direction,
            allows,
            protocol: ANY.to_owned(),
            from,
            to,
            ports: BTreeSet::new(),
            rule: None,
        }
    }

    /// The end that machines of a firewall are at.
    const fn own_end(&self) -> &End {
        match self.direction {
            Direction::Ingress => &self.to,
            Direction::Egress => &self.from,
        }
    }

    const fn other_end(&self) -> &End {
        match self.direction {
            Direction::Ingress => &self.from,
            Direction::Egress => &self.to,
        }
    }

    /// Whether it is a rule of this firewall alone.
    fn is_of(&self, firewall: &ResourceId) -> bool {
        matches!(self.own_end(), End::Firewalls(own) if own.len() == 1 && own.contains(firewall))
    }

    /// Whether it counts for the machines of this firewall.
    fn reaches(&self, firewall: &ResourceId) -> bool {
        match self.own_end() {
            End::Any | End::Ranges(_) => true,
            End::Firewalls(own) => own.contains(firewall),
        }
    }

    /// Whether another firewall's rule names this one.
    pub(crate) fn names(&self, firewall: &ResourceId) -> bool {
        matches!(self.other_end(), End::Firewalls(other) if other.contains(firewall))
            && !self.is_of(firewall)
    }

    /// Which priorities it may have.
    const fn priorities(&self) -> RangeInclusive<u32> {
        if self.allows { ALLOWS } else { SHUTS }
    }

    /// The body of the call that writes it. `path` makes the path of a firewall.
    pub(crate) fn write(&self, priority: u32, path: impl Fn(&ResourceId) -> String) -> Value {
        let mut body = json!({
            "access": if self.allows { "Allow" } else { "Deny" },
            "direction": match self.direction {
                Direction::Ingress => "Inbound",
                Direction::Egress => "Outbound",
            },
            "priority": priority,
            "protocol": self.protocol,
            "sourcePortRange": ANY,
        });
        if let Some(rule) = &self.rule {
            body["description"] = json!(rule);
        }
        for (end, word) in [(&self.from, "source"), (&self.to, "destination")] {
            match end {
                End::Any => body[format!("{word}AddressPrefix")] = json!(ANY),
                End::Ranges(ranges) => {
                    body[format!("{word}AddressPrefixes")] = json!(ranges);
                }
                End::Firewalls(ids) => {
                    let refs: Vec<Value> = ids.iter().map(|id| json!({ "id": path(id) })).collect();
                    body[format!("{word}ApplicationSecurityGroups")] = json!(refs);
                }
            }
        }
        match self.ports.len() {
            0 => body["destinationPortRange"] = json!(ANY),
            _ => body["destinationPortRanges"] = json!(self.ports),
        }
        json!({ "properties": body })
    }
}

/// The rule that denies everything inward, as the call that makes the group has it.
pub(crate) fn inward() -> Value {
    let row = Row {
        to: End::Any,
        ..Row::of(Direction::Ingress, false, &ResourceId::from(""))
    };
    let mut body = row.write(LAST, ToString::to_string);
    body["name"] = json!(INWARD);
    body
}

fn row_name(firewall: &Place, rest: &str) -> String {
    let name = format!("{}.{rest}", firewall.name);
    match name.len() > NAME_MAX {
        true => shortened(&name, NAME_MAX),
        false => name,
    }
}

/// The rows of a firewall.
pub(crate) fn rows(firewall: &Place, spec: &FirewallSpec<ResourceId>) -> BTreeMap<String, Row> {
    let id = firewall.id();
    let mut rows = BTreeMap::new();
    for rule in &spec.rules {
        rows.extend(rows_of(firewall, &id, rule));
    }
    let mut rules = spec.rules.iter();
    let has_egress = rules.any(|rule| rule.direction == Direction::Egress);
    let (word, allows) = if has_egress {
        ("shut", false)
    } else {
        ("open", true)
    };
    let row = Row::of(Direction::Egress, allows, &id);
    rows.insert(row_name(firewall, word), row);
    rows
}

/// The rows of one rule: one each for everybody, IPv4 ranges, IPv6 ranges and firewalls.
fn rows_of(
    firewall: &Place,
    id: &ResourceId,
    rule: &FirewallRule<ResourceId>,
) -> Vec<(String, Row)> {
    let (mut any, mut v4, mut v6) = (false, BTreeSet::new(), BTreeSet::new());
    let mut others = BTreeSet::new();
    for peer in &rule.peers {
        match peer {
            Peer::Internet => any = true,
            Peer::Cidr(IpNet::V4(range)) => drop(v4.insert(range.to_string())),
            Peer::Cidr(IpNet::V6(range)) => drop(v6.insert(range.to_string())),
            Peer::Firewall(other) => drop(others.insert(other.clone())),
        }
    }
    let ends = [
        ("any", any.then_some(End::Any)),
        ("ipv4", (!v4.is_empty()).then_some(End::Ranges(v4))),
        ("ipv6", (!v6.is_empty()).then_some(End::Ranges(v6))),
        (
            "firewalls",
            (!others.is_empty()).then_some(End::Firewalls(others)),
        ),
    ];
    let way = match rule.direction {
        Direction::Ingress => "in",
        Direction::Egress => "out",
    };
    let one = |(word, end): (&str, Option<End>)| {
        let own = Row::of(rule.direction, true, id);
        let (from, to) = match rule.direction {
            Direction::Ingress => (end?, own.to.clone()),
            Direction::Egress => (own.from.clone(), end?),
        };
        let row = Row {
            protocol: protocol_word(rule.protocol).to_owned(),
            from,
            to,
            ports: rule.ports.iter().map(ToString::to_string).collect(),
            rule: Some(rule.name.to_string()),
            ..own
        };
        Some((
            row_name(firewall, &format!("{way}.{}.{word}", rule.name)),
            row,
        ))
    };
    ends.into_iter().filter_map(one).collect()
}

/// What is to be done to bring the rows of a firewall to what is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Rows to write, with their priorities.
    pub(crate) put: Vec<(String, Row, u32)>,
    /// Rows to take away.
    pub(crate) delete: Vec<String>,
    /// Whether the rule that denies everything inward is to be written again.
    pub(crate) inward: bool,
}

/// Compares. Rows that count for the firewall's machines without being a firewall's own go, too: the
/// group is ours, and what is in it admits or denies against the rules.
pub(crate) fn work(
    firewall: &ResourceId,
    wanted: &BTreeMap<String, Row>,
    is: &Rows,
) -> Result<Work> {
    let mut work = Work {
        inward: !denies_inward(is),
        ..Work::default()
    };
    let mut taken: BTreeSet<(Direction, u32)> = is
        .values()
        .map(|(row, priority)| (row.direction, *priority))
        .collect();
    for (name, row) in wanted {
        let there = is.get(name);
        let may_stay = |priority: &u32| row.priorities().contains(priority);
        if there.is_some_and(|(is, priority)| is == row && may_stay(priority)) {
            continue;
        }
        let kept = there.filter(|(is, _)| is.direction == row.direction);
        let kept = kept.map(|(_, priority)| *priority).filter(may_stay);
        let free = || {
            row.priorities()
                .find(|one| !taken.contains(&(row.direction, *one)))
        };
        let Some(priority) = kept.or_else(free) else {
            let message = "a network on Azure has room for no more rules of its firewalls";
            return Err(refuse(ErrorKind::Quota, message));
        };
        taken.insert((row.direction, priority));
        work.put.push((name.clone(), row.clone(), priority));
    }
    let stray = |(name, (row, _)): &(&String, &(Row, u32))| {
        let of_all = !matches!(row.own_end(), End::Firewalls(_)) && *name != INWARD;
        !wanted.contains_key(*name) && (row.is_of(firewall) || of_all)
    };
    work.delete = is
        .iter()
        .filter(stray)
        .map(|(name, _)| name.clone())
        .collect();
    Ok(work)
}

/// The names of the rows that are a firewall's own.
pub(crate) fn own(firewall: &ResourceId, is: &Rows) -> Vec<String> {
    let own = is.iter().filter(|(_, (row, _))| row.is_of(firewall));
    own.map(|(name, _)| name.clone()).collect()
}
