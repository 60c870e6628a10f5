//! Who may talk to whom, in few words.

use std::collections::{BTreeMap, BTreeSet};

use stratiform::model::{Addr, LocalAddr, Peer, PortRange, Protocol};
use stratiform::planner::Admission;

/// What some may say to others, the same at all sites.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    /// Blocks of machines, `internet`, or ranges that are nobody's here.
    pub(crate) from: BTreeSet<String>,
    /// Blocks of machines.
    pub(crate) to: BTreeSet<String>,
    /// `tcp 80, 443`.
    pub(crate) ports: String,
    /// The rules that say so: `firewall.web http`.
    pub(crate) rules: BTreeSet<String>,
}

/// What firewalls admit, block by block: what several sites say is said once.
pub(crate) fn flows(admits: &[Admission]) -> Vec<Flow> {
    let mut by_rule: BTreeMap<_, Flow> = BTreeMap::new();
    for admission in admits {
        let from: BTreeSet<String> = match &admission.peer {
            _ if !admission.from.is_empty() => admission.from.iter().map(block).collect(),
            Peer::Internet => BTreeSet::from(["internet".to_owned()]),
            Peer::Cidr(range) => BTreeSet::from([range.to_string()]),
            Peer::Firewall(_) => BTreeSet::new(),
        };
        let to: BTreeSet<String> = admission.to.iter().map(block).collect();
        let ports = ports(admission.protocol, &admission.ports);
        let rule = format!("{} {}", admission.firewall.local, admission.rule);
        let key = (rule.clone(), to.clone(), ports.clone());
        let flow = by_rule.entry(key).or_insert_with(|| Flow {
            from: BTreeSet::new(),
            to,
            ports,
            rules: BTreeSet::from([rule]),
        });
        flow.from.extend(from);
    }
    let mut flows: Vec<Flow> = by_rule.into_values().collect();
    flows.sort();
    flows
}

/// The block that a thing is of, without a key.
pub(crate) fn block(addr: &Addr) -> String {
    LocalAddr::new(addr.local.noun, addr.local.name.clone()).to_string()
}

/// `tcp 80, 443`; `anything` where a rule admits all.
pub(crate) fn ports(protocol: Protocol, ports: &BTreeSet<PortRange>) -> String {
    let protocol = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Any => "anything",
    };
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!("{protocol} {}", ports.join(", "))
        .trim_end()
        .to_owned()
}
