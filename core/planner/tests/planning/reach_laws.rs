//! Whether traffic passes, held against a matcher of single packets that knows nothing of ranges.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::*;

const FIREWALLS: [&str; 3] = ["firewall.a", "firewall.b", "firewall.c"];
const RANGES: [&str; 6] = [
    "10.20.0.0/16",
    "10.20.0.0/17",
    "10.0.0.0/8",
    "203.0.113.0/25",
    "203.0.113.64/26",
    "2001:db8::/32",
];
const PORTS: [u16; 6] = [1, 22, 80, 443, 5432, 65_535];

fn peers() -> impl Strategy<Value = Peer<LocalAddr>> {
    prop_oneof![
        1 => Just(Peer::Internet),
        3 => (0..RANGES.len()).prop_map(|at| Peer::Cidr(RANGES[at].parse().expect("a range"))),
        3 => (0..FIREWALLS.len()).prop_map(|at| Peer::Firewall(local(FIREWALLS[at]))),
    ]
}

fn rules() -> impl Strategy<Value = RuleIntent> {
    let protocol = prop_oneof![
        4 => Just(Protocol::Tcp),
        1 => Just(Protocol::Udp),
        1 => Just(Protocol::Icmp),
        1 => Just(Protocol::Any),
    ];
    let ports = prop::collection::btree_set((0..PORTS.len(), 0..PORTS.len()), 0..3);
    let direction = prop_oneof![3 => Just(Direction::Ingress), 1 => Just(Direction::Egress)];
    (0..100_u32, peers(), protocol, ports, direction).prop_map(
        |(number, peer, protocol, ports, direction)| {
            let ranges = ports.into_iter().map(|(a, b)| PortRange {
                first: PORTS[a.min(b)],
                last: PORTS[a.max(b)],
            });
            let has_ports = matches!(protocol, Protocol::Tcp | Protocol::Udp);
            FirewallRule {
                name: name(&format!("r{number}")),
                direction,
                peers: BTreeSet::from([peer]),
                protocol,
                ports: ranges.filter(|_| has_ports).collect(),
            }
        },
    )
}

/// Three firewalls, and four blocks of machines that carry some of them, at some of the sites.
fn topologies() -> impl Strategy<Value = Intent> {
    let firewalls = prop::collection::vec(prop::collection::vec(rules(), 0..4), 3);
    let sites = subsequence(sites(), 1..=3);
    let machine = (subsequence(FIREWALLS.to_vec(), 0..=2), sites, 1..4_u32);
    (firewalls, prop::collection::vec(machine, 3)).prop_map(|(firewalls, blocks)| {
        let mut intent = shop();
        let named = FIREWALLS.iter().zip(firewalls);
        intent.firewalls = named.map(|(name, rules)| firewall(name, rules)).collect();
        intent.volumes.clear();
        let blocks = blocks.into_iter().enumerate();
        intent.machines = blocks
            .map(|(at, (carried, sites, count))| {
                let mut block = machines(&format!("machines.m{at}"), count);
                let carried: BTreeSet<LocalAddr> = carried.into_iter().map(local).collect();
                block.firewalls = carried.into();
                block.placement = PlacementIntent {
                    sites,
                    prefer: strat_model::Preference::Balance,
                    ..PlacementIntent::default()
                }
                .into();
                block
            })
            .collect();
        intent
    })
}

/// A packet's protocol and port.
type Packet = (Protocol, u16);

/// One of those between whom packets go.
#[derive(Clone)]
struct Host {
    addr: Option<Addr>,
    firewalls: BTreeSet<Addr>,
    address: Ipv4Addr,
}

/// Whether one packet passes: each rule is looked at as a firewall would.
fn passes(desired: &Desired, from: &Host, to: &Host, packet: Packet) -> bool {
    let rules = |firewall: &Addr, direction: Direction| -> Vec<FirewallRule<Addr>> {
        let Spec::Firewall(spec) = &desired.entries[firewall].goals[0].spec else {
            panic!("{firewall} is none");
        };
        let own = spec.rules.iter().filter(|rule| rule.direction == direction);
        own.cloned().collect()
    };
    let fits = |rule: &FirewallRule<Addr>, other: &Host| {
        let protocol = rule.protocol == Protocol::Any || rule.protocol == packet.0;
        let port = rule.ports.is_empty()
            || rule
                .ports
                .iter()
                .any(|range| (range.first..=range.last).contains(&packet.1));
        let peer = rule.peers.iter().any(|peer| match peer {
            Peer::Internet => true,
            Peer::Cidr(range) => range.contains(&IpAddr::V4(other.address)),
            Peer::Firewall(firewall) => other.firewalls.contains(firewall),
        });
        protocol && port && peer
    };
    let lets_out = |firewall: &Addr| {
        let rules = rules(firewall, Direction::Egress);
        rules.is_empty() || rules.iter().any(|rule| fits(rule, to))
    };
    let lets_in = |firewall: &Addr| {
        let rules = rules(firewall, Direction::Ingress);
        rules.iter().any(|rule| fits(rule, from))
    };
    let out =
        from.addr.is_none() || from.firewalls.is_empty() || from.firewalls.iter().any(lets_out);
    out && (to.addr.is_none() || to.firewalls.iter().any(lets_in))
}

/// The machines of an address, once at each address at which something may begin to differ.
fn hosts(desired: &Desired, addr: &Addr) -> Vec<Host> {
    let goals = desired.entries[addr].goals.iter();
    let mut hosts = Vec::new();
    for goal in goals {
        let Spec::Machine(machine) = &goal.spec else {
            continue;
        };
        let Spec::Subnet(subnet) = &desired.entries[&machine.subnet].goals[0].spec else {
            panic!("{} is none", machine.subnet);
        };
        let (first, last) = (
            u32::from(subnet.cidr.network()),
            u32::from(subnet.cidr.broadcast()),
        );
        hosts.extend([first, first + (last - first) / 2, last].map(|at| Host {
            addr: Some(addr.clone()),
            firewalls: machine.firewalls.iter().cloned().collect(),
            address: Ipv4Addr::from(at),
        }));
    }
    hosts
}

fn stranger(address: u32) -> Host {
    Host {
        addr: None,
        firewalls: BTreeSet::new(),
        address: Ipv4Addr::from(address),
    }
}

/// What all the packets between them say.
fn of_packets(desired: &Desired, from: &[Host], to: &[Host], packet: Packet) -> Passes {
    let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (a, b)));
    let all: Vec<bool> = pairs.map(|(a, b)| passes(desired, a, b, packet)).collect();
    match (all.iter().all(|one| *one), all.iter().any(|one| *one)) {
        (true, _) => Passes::Yes,
        (false, true) => Passes::May,
        (false, false) => Passes::No,
    }
}

fn asked((protocol, port): Packet) -> strat_model::Asked {
    let range = PortRange {
        first: port,
        last: port,
    };
    strat_model::Asked {
        protocol,
        ports: match protocol {
            Protocol::Tcp | Protocol::Udp => BTreeSet::from([range]),
            Protocol::Icmp | Protocol::Any => BTreeSet::new(),
        },
    }
}

fn packets() -> Vec<Packet> {
    let ports = [1, 22, 79, 80, 81, 443, 5432, 65_535];
    let tcp = ports.map(|port| (Protocol::Tcp, port));
    let udp = ports.map(|port| (Protocol::Udp, port));
    tcp.into_iter()
        .chain(udp)
        .chain([(Protocol::Icmp, 0)])
        .collect()
}

/// All answers to all questions between machines, and between them and a range.
fn answers(desired: &Desired, facts: &Facts, packet: Packet) -> BTreeMap<(String, String), Passes> {
    let machines = desired
        .entries
        .keys()
        .filter(|addr| addr.kind() == Kind::Machine);
    let mut ends: BTreeSet<String> = machines.map(ToString::to_string).collect();
    ends.insert("203.0.113.0/24".to_owned());
    ends.insert("internet".to_owned());
    let mut answers = BTreeMap::new();
    for (from, to) in ends
        .iter()
        .flat_map(|from| ends.iter().map(move |to| (from, to)))
    {
        let question = Question {
            from: from.parse().expect("an end"),
            to: to.parse().expect("an end"),
            asked: asked(packet),
        };
        // Between two that are no machines there is no answer.
        for crossing in reach(desired, facts, &question).unwrap_or_default() {
            answers.insert((from.clone(), to.clone()), crossing.passes);
        }
    }
    answers
}

/// All sites give public addresses, so that nothing but firewalls decides.
fn open_facts() -> Facts {
    let mut facts = facts();
    facts
        .values_mut()
        .for_each(|site| site.capabilities.public_ips = true);
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_single_packets(intent in topologies()) {
        let facts = open_facts();
        let desired = place(&intent, &facts, &empty()).expect("everything finds a place");
        for packet in packets() {
            for ((from, to), found) in answers(&desired, &facts, packet) {
                let host = |end: &str| match end.parse::<Addr>() {
                    Ok(addr) => hosts(&desired, &addr),
                    Err(_) if end == "internet" => [0x0808_0808, 0xcb00_7100, 0xcb00_7140, 0xcb00_7180]
                        .map(stranger).to_vec(),
                    Err(_) => [0xcb00_7100, 0xcb00_7140, 0xcb00_7180].map(stranger).to_vec(),
                };
                let is_itself = from == to && desired.entries[&from.parse().expect("a machine")].count() == 1;
                let wanted = match is_itself {
                    true => Passes::Yes,
                    false => of_packets(&desired, &host(&from), &host(&to), packet),
                };
                prop_assert_eq!(found, wanted, "{} -> {} {:?}", from, to, packet);
            }
        }
    }

    #[test]
    fn a_rule_that_admits_closes_nothing(
        intent in topologies(),
        added in rules(),
        at in 0..FIREWALLS.len(),
    ) {
        let facts = open_facts();
        let mut more = intent.clone();
        let added = FirewallRule { direction: Direction::Ingress, name: name("added"), ..added };
        more.firewalls[at].rules.insert(added);
        let desired = |intent: &Intent| place(intent, &facts, &empty()).expect("everything finds a place");
        let (before, after) = (desired(&intent), desired(&more));
        for packet in packets() {
            let then = answers(&after, &facts, packet);
            for (pair, passed) in answers(&before, &facts, packet) {
                prop_assert!(then[&pair] >= passed, "{:?} {:?}", pair, packet);
            }
        }
    }
}
