//! By which way machines and the internet reach each other.

use std::collections::BTreeSet;

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::lines;

/// A cloud at `east` that has all ways, racks at `dc1` that let out or do not, and `west` that leaves no
/// choice and gives each machine a public address.
fn open_world() -> Facts {
    let mut facts = facts();
    let ways = [
        (
            "east",
            InternetWays::among(Internet::Outbound, Internet::ALL),
        ),
        (
            "dc1",
            InternetWays::among(Internet::Outbound, [Internet::Outbound, Internet::None]),
        ),
        ("west", InternetWays::only(Internet::Public)),
    ];
    for (site, ways) in ways {
        let facts = facts.get_mut(&name(site)).expect("site");
        facts.capabilities.internet = ways;
        facts.capabilities.public_ips = site == "west";
    }
    facts
}

/// A fleet at `east`, in a subnet of which this is said.
fn fleet(internet: Option<Internet>, public_ip: Option<bool>) -> Intent {
    let mut intent = shop();
    intent.subnets[0].internet = internet;
    let web = &mut intent.machines[1];
    web.placement.sites = vec![name("east")];
    web.public_ip = public_ip;
    intent
}

fn desired(intent: &Intent) -> Desired {
    place(intent, &open_world(), &empty()).expect("everything finds a place")
}

fn refusal(intent: &Intent) -> Vec<Unplaced> {
    place(intent, &open_world(), &empty()).expect_err("it is refused")
}

fn plan(desired: &Desired, world: &Inventory) -> Plan {
    diff(desired, world, &open_world(), None, &DiffOptions::default())
}

/// The ways of the subnets of a block, by address.
fn ways(desired: &Desired, block: &str) -> Vec<(String, Option<Internet>)> {
    let of_block = desired
        .entries
        .iter()
        .filter(|(addr, _)| addr.local == local(block));
    let way = |(addr, entry): (&Addr, &Entry)| match &entry.goals[0].spec {
        Spec::Subnet(subnet) => (addr.to_string(), subnet.internet),
        other => panic!("{other:?}"),
    };
    of_block.map(way).collect()
}

#[test]
fn what_is_not_said_goes_out_alone_where_there_is_a_choice() {
    let desired = desired(&fleet(None, None));
    let out = Some(Internet::Outbound);
    let expected = [
        ("subnet.app@dc1", out),
        ("subnet.app@east/a", out),
        ("subnet.app@east/b", out),
        ("subnet.app@east/c", out),
        ("subnet.app@west", None),
    ];
    let expected = expected.map(|(addr, way)| (addr.to_owned(), way));
    assert_eq!(ways(&desired, "subnet.app"), expected);
}

#[test]
fn a_site_without_public_addresses_takes_public_for_outbound() {
    let desired = desired(&fleet(Some(Internet::Public), Some(true)));
    let ways = ways(&desired, "subnet.app");
    assert_eq!(
        ways[0],
        ("subnet.app@dc1".to_owned(), Some(Internet::Outbound))
    );
    assert_eq!(
        ways[1],
        ("subnet.app@east/a".to_owned(), Some(Internet::Public))
    );
    assert_eq!(ways[4], ("subnet.app@west".to_owned(), None));
}

#[test]
fn a_way_that_a_site_cannot_give_is_refused_and_the_finding_says_which_it_can() {
    let refused = refusal(&fleet(Some(Internet::None), None));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].reason, NoPlace::UnsupportedInternet);
    let finding = &refused[0].finding;
    assert!(
        finding.message.contains("which west cannot give it"),
        "{finding:?}"
    );
    let help = finding.help.as_deref().expect("help");
    assert!(help.contains("can have \"public\""), "{help}");
}

#[test]
fn machines_have_a_public_address_only_where_they_ask() {
    for (asks, expected) in [(None, false), (Some(false), false), (Some(true), true)] {
        let desired = desired(&fleet(Some(Internet::Public), asks));
        let plan = plan(&desired, &empty());
        let web = plan
            .changes
            .iter()
            .find(|one| one.addr == addr("machines.web@east"));
        let web = web.expect("the fleet is made");
        assert_eq!(web.public_ips, expected, "{asks:?}");
        let Spec::Machine(machine) = &web.goals[0].spec else {
            panic!("a machine");
        };
        assert_eq!(machine.public_ip, Some(expected));
    }
}

#[test]
fn where_each_machine_gets_an_address_none_can_do_without() {
    let mut intent = fleet(None, None);
    intent.machines[1].placement.sites = vec![name("west")];
    let whole = plan(&desired(&intent), &empty());
    let web = whole
        .changes
        .iter()
        .find(|one| one.addr.local == local("machines.web"));
    assert!(web.is_some_and(|web| web.public_ips));
    intent.machines[1].public_ip = Some(false);
    let refused = refusal(&intent);
    assert_eq!(refused[0].reason, NoPlace::UnsupportedInternet);
}

#[test]
fn an_address_leads_to_no_machine_without_a_way_in() {
    let mut intent = fleet(None, None);
    intent.machines[0].placement.sites = vec![name("east")];
    intent.machines[0].subnet = local("subnet.app");
    intent.addresses = vec![AddressIntent {
        common: common("address.db"),
        target: AttachIntent::Machine(local("machine.db")),
    }];
    let refused = refusal(&intent);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].reason, NoPlace::NotPublic);
    assert_eq!(
        refused[0].finding.help.as_deref(),
        Some("write `internet = \"public\"` in `subnet.app`")
    );
    intent.subnets[0].internet = Some(Internet::Public);
    desired(&intent);
}

/// A world of before subnets had ways: all open, each machine with an address, and no word of it in marks.
fn before() -> Inventory {
    let mut world = realise(&place(&fleet(None, None), &facts(), &empty()).expect("placed"));
    let east = world.sites.get_mut(&name("east")).expect("site");
    for thing in &mut east.resources {
        match &mut thing.spec {
            Spec::Subnet(subnet) => subnet.internet = Some(Internet::Public),
            Spec::Machine(machine) => machine.public_ip = Some(true),
            _ => {}
        }
    }
    let racks = world.sites.get_mut(&name("dc1")).expect("site");
    for thing in &mut racks.resources {
        if let Spec::Subnet(subnet) = &mut thing.spec {
            subnet.internet = Some(Internet::Outbound);
        }
    }
    world
}

#[test]
fn what_stands_is_changed_in_place_and_told_as_the_topologys_change() {
    let world = before();
    let intent = fleet(None, None);
    let desired = place(&intent, &open_world(), &world).expect("placed");
    let plan = plan(&desired, &world);
    let made_anew = |change: &&Change| change.action != Action::Update;
    assert_eq!(
        plan.changes.iter().find(made_anew),
        None,
        "{:?}",
        lines(&plan)
    );
    let at_east = |change: &&Change| change.site == name("east");
    for change in plan.changes.iter().filter(at_east) {
        let fields: Vec<Field> = change.fields.iter().map(|one| one.field).collect();
        let expected = match change.kind == Kind::Subnet {
            true => vec![Field::Internet],
            false => vec![Field::PublicIp],
        };
        assert_eq!(
            (fields, change.cause),
            (expected, Cause::Topology),
            "{}",
            change.addr
        );
    }
    // On the racks nothing is other than before, but that the marks say so now.
    let at_home = plan
        .changes
        .iter()
        .filter(|change| change.site == name("dc1"));
    assert!(at_home.clone().count() > 0 && at_home.clone().all(|one| one.fields.is_empty()));
}

#[test]
fn what_stands_stays_where_the_topology_says_what_it_is() {
    let world = before();
    let mut intent = fleet(Some(Internet::Public), Some(true));
    intent.subnets[1].internet = Some(Internet::Public);
    let desired = place(&intent, &open_world(), &world).expect("placed");
    let plan = plan(&desired, &world);
    assert!(
        plan.changes.iter().all(|one| one.fields.is_empty()),
        "{:?}",
        lines(&plan)
    );
}

#[test]
fn drift_of_a_public_address_is_told_but_not_of_what_cannot_have_one() {
    let intent = fleet(Some(Internet::Public), Some(true));
    let desired = desired(&intent);
    let plain = realise(&desired);
    let machine = "machines.web@east";
    let told = |change: &dyn Fn(&mut Resource)| {
        let mut world = plain.clone();
        change(at(&mut world, machine));
        let plan = plan(&desired, &world);
        let fields = plan.changes.into_iter().flat_map(|change| change.fields);
        fields.map(|one| one.field).collect::<BTreeSet<Field>>()
    };
    let lose = |thing: &mut Resource| {
        if let Spec::Machine(machine) = &mut thing.spec {
            machine.public_ip = Some(false);
        }
    };
    assert_eq!(told(&|_| {}), BTreeSet::new());
    assert_eq!(told(&lose), BTreeSet::from([Field::PublicIp]));
    // A machine that is off has none of its own, and gets one when it starts.
    let off = |thing: &mut Resource| {
        lose(thing);
        thing.state = ResourceState::Stopped;
    };
    assert_eq!(told(&off), BTreeSet::from([Field::Power]));
    // Nobody can tell while addresses were seen in part: one may be attached to it.
    let mut world = plain.clone();
    lose(at(&mut world, machine));
    let east = world.sites.get_mut(&name("east")).expect("site");
    let why = "no answer".to_owned();
    east.coverage
        .insert(Kind::Address, Coverage::Partial { why });
    assert!(plan(&desired, &world).changes.is_empty());
}

#[test]
fn drift_of_a_way_is_told_and_made_good() {
    let desired = desired(&fleet(None, None));
    let mut world = realise(&desired);
    if let Spec::Subnet(subnet) = &mut at(&mut world, "subnet.app@east/a").spec {
        subnet.internet = Some(Internet::Public);
    }
    let plan = plan(&desired, &world);
    assert_eq!(lines(&plan), ["update subnet.app@east/a x1"]);
    assert_eq!(plan.changes[0].cause, Cause::Drift);
    assert_eq!(plan.changes[0].fields[0].field, Field::Internet);
}

/// What reads a subnet's way needs no case for sites that leave no choice.
#[test]
fn a_subnet_without_a_word_has_the_way_of_its_site() {
    let facts = open_world();
    let subnet = SubnetSpec {
        network: (),
        cidr: "10.0.0.0/24".parse().expect("a range"),
        zone: None,
        internet: None,
        labels: Labels::new(),
    };
    let of = |site: &str, subnet: &SubnetSpec<()>| facts[&name(site)].capabilities.way_out(subnet);
    assert_eq!(of("west", &subnet), Internet::Public);
    assert_eq!(of("east", &subnet), Internet::Outbound);
    let closed = SubnetSpec {
        internet: Some(Internet::None),
        ..subnet
    };
    assert_eq!(of("east", &closed), Internet::None);
}
