//! What a burst's decision makes of its fleet, and that it touches nothing else.

use strat_model::burst::{BurstIntent, BurstPolicy};

use super::*;

/// A shop whose fleet `web` runs with six machines under a burst.
fn running() -> (Intent, Inventory) {
    let mut intent = shop();
    let mut machines = intent.machines.iter_mut();
    let web = machines.find(|machine| machine.common.addr == local("machines.web"));
    web.expect("a fleet").count = 6;
    let inventory = realise(&placed(&intent, &empty()));
    for machine in &mut intent.machines {
        if machine.common.addr == local("machines.web") {
            machine.count = 1;
        }
    }
    intent.bursts = vec![BurstIntent {
        fleet: local("machines.web"),
        policy: BurstPolicy::new("web", 1, 60),
        origin: None,
    }];
    (intent, inventory)
}

fn scaled(intent: &Intent, inventory: &Inventory, scale: &Scale) -> Plan {
    let fleet = local("machines.web");
    let options = PlaceOptions {
        targets: vec![Target::Local(fleet.clone())],
        scales: BTreeMap::from([(fleet.clone(), scale.clone())]),
        ..PlaceOptions::default()
    };
    let desired = place_with(intent, &facts(), inventory, &options).expect("a place");
    let options = DiffOptions {
        targets: vec![Target::Local(fleet)],
        ..DiffOptions::default()
    };
    let plan = diff(&desired, inventory, &facts(), None, &options);
    check_graph(&plan, inventory);
    let graph = lower(&plan, inventory, &facts());
    assert_eq!(lint(&plan, &graph, inventory, &facts()), []);
    plan
}

/// The machines of the fleet, by site.
fn members(inventory: &Inventory) -> Vec<(Name, ResourceId)> {
    let ours = inventory.resources().filter(|(_, one)| {
        let mark = one.mark.as_ref();
        mark.is_some_and(|mark| mark.addr.local == local("machines.web"))
    });
    ours.map(|(site, one)| (site.clone(), one.id.clone()))
        .collect()
}

fn place_for(intent: &Intent, inventory: &Inventory, site: &str) -> FleetPlace {
    let places = fleet_places(intent, &facts(), inventory, &local("machines.web"));
    let mut here = places.into_iter().filter(|place| place.site == name(site));
    here.next().expect("a place there")
}

fn at_least(place: &FleetPlace, count: u32) -> ScalePlace {
    ScalePlace {
        site: place.site.clone(),
        zone: place.zone.clone(),
        machine_type: place.machine_type.clone(),
        capacity: place.capacity,
        count,
    }
}

#[test]
fn machines_come_where_the_decision_says_and_go_by_name() {
    let (intent, inventory) = running();
    let members = members(&inventory);
    let place = place_for(&intent, &inventory, "west");
    let victim = members[3].clone();
    let scale = Scale {
        by: "burst.web".to_owned(),
        places: vec![at_least(&place, 2)],
        leaving: BTreeSet::from([victim.clone()]),
        drains: BTreeMap::from([(members[0].clone(), "2026-11-30T09:00:00Z web".to_owned())]),
    };
    let plan = scaled(&intent, &inventory, &scale);
    let gone: Vec<_> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Delete)
        .flat_map(|change| {
            change
                .targets
                .iter()
                .map(|one| (change.site.clone(), one.id.clone()))
        })
        .collect();
    assert_eq!(gone, [victim]);
    let made: Vec<_> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Create && change.kind == Kind::Machine)
        .map(|change| (change.addr.to_string(), change.count))
        .collect();
    assert_eq!(made, [("machines.web@west".to_owned(), 2)]);
    let noted: Vec<_> = plan
        .changes
        .iter()
        .filter_map(|change| Some((change.drains.clone()?, change.targets[0].id.clone())))
        .collect();
    assert_eq!(
        noted,
        [("2026-11-30T09:00:00Z web".to_owned(), members[0].1.clone())]
    );
    assert!(plan.rollouts.is_empty(), "nothing waits for a wave");
}

/// A plan that is made again after half of it was done asks for the other half.
#[test]
fn what_is_there_already_is_not_made_again() {
    let (intent, mut inventory) = running();
    let place = place_for(&intent, &inventory, "west");
    let scale = |count| Scale {
        by: "burst.web".to_owned(),
        places: vec![at_least(&place, count)],
        ..Scale::default()
    };
    let before = members(&inventory).len();
    let desired = {
        let fleet = local("machines.web");
        let options = PlaceOptions {
            scales: BTreeMap::from([(fleet, scale(1))]),
            ..PlaceOptions::default()
        };
        place_with(&intent, &facts(), &inventory, &options).expect("a place")
    };
    inventory = realise(&desired);
    assert_eq!(members(&inventory).len(), before + 1);
    let plan = scaled(&intent, &inventory, &scale(3));
    let made: u32 = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Create && change.kind == Kind::Machine)
        .map(|change| change.count)
        .sum();
    assert_eq!(made, 2);
    let plan = scaled(&intent, &inventory, &scale(1));
    assert_eq!(lines(&plan), Vec::<String>::new());
}

/// Whatever else the topology says by now is left to an apply: another size, another fleet, another rule.
#[test]
fn nothing_else_is_changed_for_it() {
    let (mut intent, inventory) = running();
    for machine in &mut intent.machines {
        machine.size = Size::AtLeast {
            cpu: 4,
            memory: Bytes::gib(8),
        };
    }
    intent.firewalls.clear();
    let victim = members(&inventory)[1].clone();
    let scale = Scale {
        by: "burst.web".to_owned(),
        leaving: BTreeSet::from([victim]),
        ..Scale::default()
    };
    let plan = scaled(&intent, &inventory, &scale);
    assert_eq!(plan.changes.len(), 1, "{:#?}", lines(&plan));
    assert_eq!(plan.changes[0].action, Action::Delete);
    assert_eq!(plan.changes[0].count, 1);
    assert_eq!(plan.changes[0].reason, "burst.web lets 1 go");
}

#[test]
fn a_silent_site_keeps_no_other_from_growing_and_nothing_goes_there() {
    let (intent, mut inventory) = running();
    let place = place_for(&intent, &inventory, "west");
    let silent = members(&inventory)
        .into_iter()
        .find(|(site, _)| *site == name("dc1"))
        .expect("a machine there");
    let site = inventory.sites.get_mut(&name("dc1")).expect("a site");
    let why = "it gave no answer".to_owned();
    site.coverage
        .insert(Kind::Machine, Coverage::Partial { why });
    let scale = Scale {
        by: "burst.web".to_owned(),
        places: vec![at_least(&place, 1)],
        leaving: BTreeSet::from([silent]),
        ..Scale::default()
    };
    let plan = scaled(&intent, &inventory, &scale);
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action != Action::Delete)
    );
    let made = plan
        .changes
        .iter()
        .filter(|change| change.kind == Kind::Machine);
    let made: Vec<_> = made.map(|change| change.addr.to_string()).collect();
    assert_eq!(made, ["machines.web@west"]);
}

#[test]
fn what_has_no_room_is_left_out() {
    let (intent, inventory) = running();
    let place = place_for(&intent, &inventory, "dc1");
    let room = place.room.expect("owned hardware is bounded");
    let scale = Scale {
        by: "burst.web".to_owned(),
        places: vec![at_least(&place, room + 100)],
        ..Scale::default()
    };
    let plan = scaled(&intent, &inventory, &scale);
    let made = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Create);
    let made: u32 = made.map(|change| change.count).sum();
    assert!((1..=room).contains(&made), "{made} of {room}");
}
