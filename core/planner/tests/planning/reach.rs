//! Who may talk to whom, and whether traffic passes.

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

/// `yes machines.web@dc1 -> machine.db@dc1: yes route, yes egress, yes ingress`.
fn answers(intent: &Intent, facts: &Facts, from: &str, to: &str, asked: &str) -> Vec<String> {
    let desired = place(intent, facts, &empty()).expect("everything finds a place");
    let question = Question {
        from: from.parse().expect(from),
        to: to.parse().expect(to),
        asked: asked.parse().expect(asked),
    };
    let crossings = reach(&desired, facts, &question).expect("an answer");
    let told = crossings.iter().map(|one| {
        let hops: Vec<String> = one
            .hops
            .iter()
            .map(|hop| format!("{} {}", hop.passes.as_str(), hop.at.as_str()))
            .collect();
        let (passes, from, to) = (one.passes.as_str(), &one.from, &one.to);
        format!("{passes} {from} -> {to}: {}", hops.join(", "))
    });
    told.collect()
}

fn check(intent: &Intent, question: (&str, &str, &str), wanted: &[&str]) {
    let (from, to, asked) = question;
    assert_eq!(
        answers(intent, &facts(), from, to, asked),
        wanted,
        "{question:?}"
    );
}

#[test]
fn each_hop_says_what_it_lets_pass() {
    let shop = shop();
    check(
        &shop,
        ("machines.web", "machine.db", "5432"),
        &["yes machines.web@dc1 -> machine.db@dc1: yes route, yes egress, yes ingress"],
    );
    check(
        &shop,
        ("machines.web@dc1", "machine.db", "tcp/22"),
        &["no machines.web@dc1 -> machine.db@dc1: yes route, yes egress, no ingress"],
    );
    check(
        &shop,
        ("machine.db", "machines.web", "80"),
        &["yes machine.db@dc1 -> machines.web@dc1: yes route, yes egress, yes ingress"],
    );
    check(
        &shop,
        ("machine.db", "machine.db", "any"),
        &["yes machine.db@dc1 -> machine.db@dc1: yes route"],
    );
    // Any port will do, where none is said; a range is meant as a whole.
    check(
        &shop,
        ("machines.web", "machine.db", "tcp"),
        &["yes machines.web@dc1 -> machine.db@dc1: yes route, yes egress, yes ingress"],
    );
    check(
        &shop,
        ("machines.web", "machine.db", "5432-5440"),
        &["may machines.web@dc1 -> machine.db@dc1: yes route, yes egress, may ingress"],
    );
    check(
        &shop,
        ("2001:db8::1", "machines.web", "80"),
        &["no 2001:db8::1 -> machines.web@dc1: no route, no ingress"],
    );
}

#[test]
fn a_rule_that_cuts_a_range_admits_a_part_of_it() {
    let mut intent = shop();
    let office = Peer::Cidr("203.0.113.0/25".parse().expect("a range"));
    intent.firewalls[0].rules.insert(rule("office", office, 22));
    let of = |from: &str| answers(&intent, &facts(), from, "machine.db", "22").remove(0);
    let ingress = |from: &str| of(from).rsplit(", ").next().map(str::to_owned);
    assert_eq!(ingress("203.0.113.7").as_deref(), Some("yes ingress"));
    assert_eq!(ingress("203.0.113.0/24").as_deref(), Some("may ingress"));
    assert_eq!(ingress("203.0.113.128/25").as_deref(), Some("no ingress"));
    // Some of the internet is some of it.
    assert_eq!(ingress("internet").as_deref(), Some("may ingress"));
    // The same range, in two halves, is all of it.
    let other = Peer::Cidr("203.0.113.128/25".parse().expect("a range"));
    intent.firewalls[0].rules.insert(rule("rest", other, 22));
    let all = answers(&intent, &facts(), "203.0.113.0/24", "machine.db", "22");
    assert!(all[0].ends_with("yes ingress"), "{all:?}");
}

#[test]
fn what_leads_out_is_said_by_the_site() {
    let mut facts = facts();
    let mut intent = shop();
    intent.machines[1].placement = PlacementIntent {
        sites: vec![name("east")],
        ..PlacementIntent::default()
    }
    .into();
    let way = |facts: &Facts, intent: &Intent, from: &str, to: &str| {
        answers(intent, facts, from, to, "80").remove(0)
    };
    let from_internet =
        |facts: &Facts, intent: &Intent| way(facts, intent, "internet", "machines.web");
    assert!(
        from_internet(&facts, &intent).starts_with("no "),
        "no public address"
    );
    facts
        .get_mut(&name("east"))
        .expect("a site")
        .capabilities
        .public_ips = true;
    assert!(from_internet(&facts, &intent).starts_with("yes "));
    assert!(way(&facts, &intent, "machines.web", "internet").starts_with("yes "));
    // Who owns the hardware leads what he likes to it.
    assert!(way(&facts, &intent, "machine.db", "internet").starts_with("may "));
    // An address of its own leads to a machine wherever it is.
    let address = AddressIntent {
        common: common("address.db"),
        target: AttachIntent::Machine(local("machine.db")),
    };
    intent.addresses.push(address);
    assert!(way(&facts, &intent, "machine.db", "internet").starts_with("yes "));
}

#[test]
fn two_networks_meet_over_the_internet_or_not_at_all() {
    let mut facts = facts();
    let mut intent = shop();
    intent.networks.push(NetworkIntent {
        common: common("network.lab"),
        cidr: "10.30.0.0/16".parse().expect("a range"),
        site_prefix: Some(20),
        sites: sites(),
    });
    let lab = SubnetIntent {
        network: local("network.lab"),
        ..subnet("subnet.lab")
    };
    intent.subnets.push(lab);
    let at = |site: &str, subnet: &str, machine: &str| {
        let mut machine = machines(machine, 1);
        machine.subnet = local(subnet);
        machine.firewalls = strat_model::Shared::default();
        machine.placement.sites = vec![name(site)];
        machine
    };
    intent
        .machines
        .push(at("east", "subnet.lab", "machine.lab"));
    let mut web = at("east", "subnet.app", "machine.front");
    web.firewalls = strat_model::Shared::from([local("firewall.web")]);
    intent.machines.push(web);
    intent
        .machines
        .sort_by(|a, b| a.common.addr.cmp(&b.common.addr));
    let of = |facts: &Facts, intent: &Intent, to: &str| {
        answers(intent, facts, "machine.lab", to, "80").remove(0)
    };
    assert!(
        of(&facts, &intent, "machine.front")
            .starts_with("no machine.lab@east -> machine.front@east: no route")
    );
    // A range of another network is no way there either.
    let all = answers(&intent, &facts, "10.30.0.0/16", "machine.front", "80");
    assert!(
        all.iter()
            .any(|one| one.contains("network.lab@east -> machine.front@east: no route")),
        "{all:?}"
    );
    // With public addresses, they meet there, if everybody is admitted.
    facts
        .get_mut(&name("east"))
        .expect("a site")
        .capabilities
        .public_ips = true;
    assert!(of(&facts, &intent, "machine.front").starts_with("yes "));
    // What admits the other network's range does not admit its public address.
    let lab = Peer::Cidr("10.30.0.0/16".parse().expect("a range"));
    intent.firewalls[1].rules = [rule("lab", lab, 80)].into();
    assert!(of(&facts, &intent, "machine.front").contains("no ingress"));
    // The owner of the hardware may join them.
    assert!(of(&facts, &intent, "machine.db").contains("may route"));
}

#[test]
fn who_is_nobody_is_told_with_who_there_is() {
    let shop = shop();
    let desired = placed(&shop, &empty());
    let ask = |from: &str, to: &str| {
        let question = Question {
            from: from.parse().expect(from),
            to: to.parse().expect(to),
            asked: strat_model::Asked::ANYTHING,
        };
        reach(&desired, &facts(), &question).map_err(|error| error.to_string())
    };
    let nobody = "there are no machines `machine.bd` in the topology";
    assert_eq!(ask("machine.bd", "machine.db"), Err(nobody.to_owned()));
    let strangers = ask("internet", "10.0.0.0/8").expect_err("refused");
    assert!(
        strangers.starts_with("neither internet nor 10.0.0.0/8"),
        "{strangers}"
    );
}

#[test]
fn one_firewall_without_egress_rules_lets_out_everything() {
    let mut intent = shop();
    let db = || Peer::Firewall(local("firewall.db"));
    intent
        .firewalls
        .push(firewall("firewall.shut", vec![egress(db(), (1, 1))]));
    intent
        .firewalls
        .sort_by(|a, b| a.common.addr.cmp(&b.common.addr));
    let carried = |names: &[&str], intent: &Intent| {
        let mut intent = intent.clone();
        let firewalls: BTreeSet<LocalAddr> = names.iter().map(|one| local(one)).collect();
        intent.machines[1].firewalls = firewalls.into();
        answers(&intent, &facts(), "machines.web", "203.0.113.7", "443").remove(0)
    };
    assert!(carried(&["firewall.shut"], &intent).contains("no egress"));
    assert!(carried(&["firewall.shut", "firewall.web"], &intent).contains("yes egress"));
}
