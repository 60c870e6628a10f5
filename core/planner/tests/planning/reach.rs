//! Who may talk to whom.

use crate::*;

/// `firewall.db@dc1 pg: machines.web@dc1 -> machine.db@dc1`.
fn told(intent: &Intent) -> Vec<String> {
    let line = |admission: &Admission| {
        let joined = |addrs: &BTreeSet<Addr>| {
            let addrs: Vec<String> = addrs.iter().map(ToString::to_string).collect();
            addrs.join(" ")
        };
        let from = match (&admission.peer, admission.from.is_empty()) {
            (_, false) => joined(&admission.from),
            (Peer::Internet, true) => "internet".to_owned(),
            (Peer::Cidr(range), true) => range.to_string(),
            (Peer::Firewall(_), true) => "nobody".to_owned(),
        };
        let (firewall, rule) = (&admission.firewall, &admission.rule);
        format!("{firewall} {rule}: {from} -> {}", joined(&admission.to))
    };
    let desired = placed(intent, &empty());
    admissions(&desired, &facts()).iter().map(line).collect()
}

const PG: &str = "firewall.db@dc1 pg: machines.web@dc1 -> machine.db@dc1";
const HTTP: &str = "firewall.web@dc1 http: internet -> machines.web@dc1";

fn egress(peer: Peer<LocalAddr>, ports: (u16, u16)) -> RuleIntent {
    FirewallRule {
        direction: Direction::Egress,
        ports: BTreeSet::from([PortRange {
            first: ports.0,
            last: ports.1,
        }]),
        ..rule("out", peer, 1)
    }
}

/// The shop, with a rule outward for its web machines.
fn let_out(rule: RuleIntent) -> Vec<String> {
    let mut intent = shop();
    let web = intent.firewalls.last_mut().expect("one");
    web.rules.insert(rule);
    told(&intent)
}

#[test]
fn a_firewall_admits_whom_its_rules_name_and_nobody_else() {
    assert_eq!(told(&shop()), [PG, HTTP]);
    let mut alone = shop();
    alone.machines.remove(1);
    // Nobody carries the firewall that the rule names, and nobody the one of the web machines.
    assert_eq!(told(&alone), Vec::<String>::new());
    let mut bare = shop();
    bare.machines[0].firewalls = strat_model::Shared::default();
    assert_eq!(told(&bare), [HTTP]);
}

#[test]
fn a_rule_outward_lets_out_what_it_names_and_nothing_else() {
    let db = || Peer::Firewall(local("firewall.db"));
    assert_eq!(let_out(egress(Peer::Internet, (443, 443))), [HTTP]);
    assert_eq!(let_out(egress(db(), (1, 5431))), [HTTP]);
    assert_eq!(let_out(egress(db(), (5432, 5433))), [PG, HTTP]);
    assert_eq!(let_out(egress(Peer::Internet, (5000, 6000))), [PG, HTTP]);
    let range = |text: &str| Peer::Cidr(text.parse().expect("a range"));
    assert_eq!(
        let_out(egress(range("10.20.0.0/16"), (5432, 5432))),
        [PG, HTTP]
    );
    assert_eq!(let_out(egress(range("10.99.0.0/16"), (5432, 5432))), [HTTP]);
    assert_eq!(
        let_out(egress(Peer::Firewall(local("firewall.web")), (5432, 5432))),
        [HTTP]
    );
}

#[test]
fn machines_at_another_site_come_by_their_range() {
    let mut intent = shop();
    intent.machines[1].placement = PlacementIntent {
        sites: vec![name("east")],
        ..PlacementIntent::default()
    }
    .into();
    let all = told(&intent);
    let pg = all
        .iter()
        .filter(|line| line.starts_with("firewall.db@dc1"));
    let pg: BTreeSet<&String> = pg.collect();
    let line = "firewall.db@dc1 pg: machines.web@east -> machine.db@dc1".to_owned();
    assert_eq!(pg, BTreeSet::from([&line]), "{all:#?}");

    // A range that is somebody else's stands for itself, and one that holds all of ours for them.
    let mut intent = shop();
    let rules = [("office", "192.0.2.0/24"), ("within", "10.20.0.0/16")];
    let db = &mut intent.firewalls[0];
    db.rules = rules
        .map(|(name, range)| rule(name, Peer::Cidr(range.parse().expect("a range")), 22))
        .into();
    let all = told(&intent);
    assert_eq!(
        all[..2],
        [
            "firewall.db@dc1 office: 192.0.2.0/24 -> machine.db@dc1",
            "firewall.db@dc1 within: machines.web@dc1 -> machine.db@dc1",
        ]
    );
}
