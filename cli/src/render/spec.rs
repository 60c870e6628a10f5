//! What a thing is to be, in few words.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use stratiform::model::{
    Addr, CapacityKind, Direction, FirewallRule, ImageRef, Internet, MachineSpec, Peer, Protocol,
    Spec, VolumeSpec,
};
use stratiform::planner::Goal;

/// The important fields of what is made, most important first.
pub(crate) fn pieces(goals: &[Arc<Goal>]) -> Vec<String> {
    let Some(goal) = goals.first() else {
        return Vec::new();
    };
    match &goal.spec {
        Spec::Network(spec) => vec![spec.cidr.to_string()],
        Spec::Subnet(spec) => {
            let mut pieces = vec![spec.cidr.to_string(), format!("in {}", near(&spec.network))];
            pieces.extend(spec.internet.map(|way| way_out(way).to_owned()));
            pieces
        }
        Spec::Firewall(spec) => match spec.rules.len() {
            0 => vec!["no rules: nobody is admitted".to_owned()],
            _ => spec.rules.iter().map(rule).collect(),
        },
        Spec::Address(spec) => vec![match &spec.attach {
            Some(machine) => format!("leads to {}", near(machine)),
            None => "leads nowhere yet".to_owned(),
        }],
        Spec::Keypair(spec) => vec![public_key(&spec.public_key)],
        Spec::Image(spec) => vec![
            spec.source.clone(),
            format!(
                "sha256 {}...",
                spec.sha256.get(..12).unwrap_or(&spec.sha256)
            ),
        ],
        Spec::Machine(spec) => machine(spec, goals),
        Spec::Volume(spec) => volume(spec),
        Spec::Bucket(spec) => vec![
            if spec.versioning {
                "keeps old versions"
            } else {
                "keeps no old versions"
            }
            .to_owned(),
        ],
    }
}

/// The way of a subnet to the internet.
const fn way_out(way: Internet) -> &'static str {
    match way {
        Internet::Public => "open to the internet",
        Internet::Outbound => "outbound internet",
        Internet::None => "no internet",
    }
}

fn machine(spec: &MachineSpec<Addr>, goals: &[Arc<Goal>]) -> Vec<String> {
    let mut pieces = vec![counted(goals, |machine| Some(size(machine)))];
    pieces.push(match &spec.image {
        ImageRef::Named { name, .. } => name.clone(),
        ImageRef::Managed(image) => near(image),
    });
    for disk in &spec.disks {
        pieces.push(format!("disk {} {}", disk.size, disk.class.as_str()));
    }
    pieces.push(zones(goals));
    let bought = counted(goals, |machine| match machine.capacity {
        CapacityKind::Spot => Some("spot".to_owned()),
        CapacityKind::Reserved => Some("reserved".to_owned()),
        CapacityKind::OnDemand => Some("on demand".to_owned()),
        CapacityKind::Owned => None,
    });
    // On demand is the usual way, and said only beside another.
    if !matches!(bought.as_str(), "" | "on demand") {
        pieces.push(bought);
    }
    pieces.push(near(&spec.subnet));
    pieces.extend(spec.firewalls.iter().map(near));
    pieces.extend(spec.keypair.iter().map(near));
    if spec.user_data.is_some() {
        pieces.push("user data".to_owned());
    }
    pieces
}

/// What is said of each machine: once where it is the same of all, else `3 this / 2 that`.
fn counted(goals: &[Arc<Goal>], say: impl Fn(&MachineSpec<Addr>) -> Option<String>) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for goal in goals {
        if let Spec::Machine(machine) = &goal.spec
            && let Some(said) = say(machine)
        {
            *counts.entry(said).or_default() += goal.count;
        }
    }
    if counts.len() == 1 {
        return counts.into_keys().collect();
    }
    let counts = counts.iter().map(|(said, count)| format!("{count} {said}"));
    counts.collect::<Vec<_>>().join(" / ")
}

/// The cloud's name for the size, and what it is; a made-up name says no more than the numbers.
fn size(spec: &MachineSpec<Addr>) -> String {
    let numbers = format!("{} cpu {}", spec.cpu, spec.memory);
    if spec.machine_type.starts_with("flex-") {
        numbers
    } else {
        format!("{} ({numbers})", spec.machine_type)
    }
}

/// `rack1`, or for a fleet `3 rack1 / 3 rack2`.
fn zones(goals: &[Arc<Goal>]) -> String {
    let total: u32 = goals.iter().map(|goal| goal.count).sum();
    let zones = counted(goals, |machine| Some(machine.zone.to_string()));
    match (total, zones.contains(" / ")) {
        (0 | 1, _) | (_, true) => zones,
        _ => format!("{total} {zones}"),
    }
}

fn volume(spec: &VolumeSpec<Addr>) -> Vec<String> {
    let mut pieces = vec![
        format!("{} {}", spec.size, spec.class.as_str()),
        spec.zone.to_string(),
    ];
    pieces.extend(spec.attach.iter().map(|to| format!("for {}", near(to))));
    pieces
}

fn rule(rule: &FirewallRule<Addr>) -> String {
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Any => "anything",
    };
    let ports = joined(&rule.ports, "/");
    let peers: Vec<String> = rule
        .peers
        .iter()
        .map(|peer| match peer {
            Peer::Internet => "internet".to_owned(),
            Peer::Cidr(cidr) => cidr.to_string(),
            Peer::Firewall(firewall) => near(firewall),
        })
        .collect();
    let (word, peers) = match rule.direction {
        Direction::Ingress => ("from", peers.join(" + ")),
        Direction::Egress => ("to", peers.join(" + ")),
    };
    let space = if ports.is_empty() { "" } else { " " };
    format!("{}: {protocol}{space}{ports} {word} {peers}", rule.name)
}

fn joined(items: impl IntoIterator<Item = impl Display>, separator: &str) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(separator)
}

/// The address without its site, which the reader knows already.
fn near(addr: &Addr) -> String {
    addr.local.to_string()
}

/// The algorithm and the key's last characters, by which people tell keys apart.
fn public_key(key: &str) -> String {
    let mut words = key.split_whitespace();
    let (algorithm, body) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let tail: Vec<char> = body.chars().rev().take(12).collect();
    format!(
        "{algorithm} ...{}",
        tail.into_iter().rev().collect::<String>()
    )
}
