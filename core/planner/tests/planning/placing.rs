//! Where things go.

use std::collections::BTreeSet;

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{lines, plan_of};

#[test]
fn from_nothing_everything_is_made_and_then_nothing_is_left_to_do() {
    let intent = shop();
    let plan = plan_of(&intent, &empty());
    // 3 networks; subnets 2 + 6 + 2; 6 firewalls; 3 key pairs; 1 + 6 machines; 1 volume; 1 bucket.
    assert_eq!(
        plan.summary.create,
        3 + 10 + 6 + 3 + 7 + 2,
        "{:#?}",
        lines(&plan)
    );
    let world = realise(&placed(&intent, &empty()));
    let plan = plan_of(&intent, &world);
    assert!(plan.is_empty(), "{:#?}", plan.changes);
    assert_eq!(plan.summary.no_op, 31);
}

#[test]
fn a_fleet_overflows_to_the_next_site_and_spreads_over_zones() {
    let mut intent = shop();
    intent.machines[1].count = 21;
    let desired = placed(&intent, &empty());
    // dc1 has 64 CPUs, 4 of them for the database: 15 machines of 4.
    let at = |site: &str| desired.entries[&addr(&format!("machines.web@{site}"))].clone();
    assert_eq!(at("dc1").count(), 15);
    assert_eq!(
        at("east")
            .goals
            .iter()
            .map(|goal| goal.count)
            .collect::<Vec<_>>(),
        [2, 2, 2]
    );
    let racks: Vec<_> = at("dc1").goals.iter().map(|goal| goal.count).collect();
    assert_eq!(racks, [8, 7]);
}

#[test]
fn what_runs_stays_when_room_is_found_at_a_site_that_is_liked_better() {
    let mut intent = shop();
    intent.machines[1].count = 21;
    let world = realise(&placed(&intent, &empty()));
    intent.machines.remove(0);
    intent.volumes.clear();
    let plan = plan_of(&intent, &world);
    assert_eq!(
        lines(&plan),
        ["delete machine.db@dc1 x1", "delete volume.db@dc1 x1"]
    );
}

#[test]
fn a_fleet_shrinks_where_it_is_liked_least() {
    let mut intent = shop();
    intent.machines[1].count = 21;
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].count = 16;
    let plan = plan_of(&intent, &world);
    // Five fewer in the east leave one there, so its database rule stays as it is or narrows.
    let fleet: Vec<_> = lines(&plan)
        .into_iter()
        .filter(|line| line.contains("machines.web"))
        .collect();
    assert_eq!(fleet, ["delete machines.web@east x5"]);
}

#[test]
fn slices_stay_put_when_a_site_is_added_in_front() {
    let mut intent = shop();
    let before = placed(&intent, &empty());
    let world = realise(&before);
    intent.networks[0].sites = vec![name("dc1"), name("west"), name("east")];
    assert!(plan_of(&intent, &world).is_empty());
    intent.networks[0].sites = vec![name("dc1"), name("west")];
    intent.machines[1].placement.sites = vec![name("dc1"), name("west")];
    intent.buckets.clear();
    let plan = plan_of(&intent, &world);
    let elsewhere = plan.changes.iter().find(|change| change.site != "east");
    assert_eq!(elsewhere, None, "only the east goes");
}

#[test]
fn a_price_change_moves_nothing() {
    let mut intent = shop();
    intent.machines[1].placement.sites = vec![name("east")];
    let world = realise(&placed(&intent, &empty()));
    let mut facts = facts();
    for offer in &mut facts.get_mut("east").expect("east").offers {
        offer.price_hour = Some("9 USD".parse().expect("money"));
        if offer.machine_type == "large" {
            offer.price_hour = Some("0.01 USD".parse().expect("money"));
        }
    }
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:#?}", plan.changes);
}

#[test]
fn firewalls_follow_machines_across_sites() {
    let mut intent = shop();
    intent.machines[1].count = 21;
    let desired = placed(&intent, &empty());
    let entry = &desired.entries[&addr("firewall.db@dc1")];
    let Spec::Firewall(spec) = &entry.goals[0].spec else {
        panic!("a firewall")
    };
    let peers = &spec.rules.first().expect("rule").peers;
    let cidrs = peers
        .iter()
        .filter(|peer| matches!(peer, Peer::Cidr(_)))
        .count();
    assert_eq!(cidrs, 3, "one for each zone of the east: {peers:?}");
    assert!(peers.contains(&Peer::Firewall(addr("firewall.web@dc1"))));
}

#[test]
fn a_blind_site_is_left_alone_and_so_is_what_may_run_there() {
    let mut intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    world.sites.remove("dc1");
    let mut facts = facts();
    facts.remove("dc1");
    intent.machines[1].count = 3;
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:#?}", lines(&plan));
    assert!(
        plan.withheld
            .iter()
            .any(|withheld| withheld.what == "machines.web")
    );
}

#[test]
fn what_finds_no_place_is_said_with_the_reasons() {
    let mut intent = shop();
    intent.machines[1].count = 500;
    let problems = place(&intent, &facts(), &empty()).expect_err("too many");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].finding.code, "no_capacity");
    intent.machines[1].count = 1;
    intent.machines[1].size = Size::AtLeast {
        cpu: 1000,
        memory: Bytes::gib(1),
    };
    let problems = place(&intent, &facts(), &empty()).expect_err("too large");
    assert_eq!(problems[0].finding.code, "impossible_size");
    intent.machines[1].size = Size::Type("m5.huge".to_owned());
    let problems = place(&intent, &facts(), &empty()).expect_err("not on sale");
    assert_eq!(problems[0].finding.code, "unknown_machine_type");
    intent.machines[1].size = Size::AtLeast {
        cpu: 1,
        memory: Bytes::gib(1),
    };
    intent.machines[1].image = Ok("debian-99".to_owned());
    let problems = place(&intent, &facts(), &empty()).expect_err("no image");
    assert_eq!(problems[0].finding.code, "unknown_image");
}

#[test]
fn a_lost_machine_comes_back_where_its_volume_is() {
    let mut intent = shop();
    intent.machines[0].placement.sites = sites();
    let mut world = realise(&placed(&intent, &empty()));
    for site in world.sites.values_mut() {
        site.resources
            .retain(|resource| resource.kind() != Kind::Machine);
        for resource in &mut site.resources {
            if let Spec::Volume(volume) = &mut resource.spec {
                volume.zone = name("rack2");
                volume.attach = None;
            }
        }
    }
    let desired = placed(&intent, &world);
    let entry = &desired.entries[&addr("machine.db@dc1")];
    assert_eq!(entry.goals[0].zone(), Some(&name("rack2")));
}

#[test]
fn a_size_is_of_the_usual_instruction_set_and_the_image_is_of_the_machines() {
    let mut facts = facts();
    for site in facts.values_mut() {
        let cheap = site.offers.iter().map(|offer| Offer {
            machine_type: format!("arm-{}", offer.machine_type),
            arch: "aarch64".to_owned(),
            price_hour: "0.01 USD".parse().ok(),
            ..offer.clone()
        });
        let cheap: Vec<_> = cheap.collect();
        site.offers.extend(cheap);
        site.images = PublicImages::default();
        for arch in ["aarch64", "x86_64"] {
            let id = ResourceId::from(format!("img-{arch}"));
            site.images.insert("debian-12", Some(arch), id);
        }
    }
    let mut intent = shop();
    intent.machines.remove(0);
    intent.volumes.clear();
    intent.addresses.clear();
    intent.machines[0].placement.sites = vec![name("east")];
    let ids = |intent: &Intent, facts: &Facts| -> BTreeSet<(String, String)> {
        let desired = place(intent, facts, &empty()).expect("placed");
        let goals = desired.entries.values().flat_map(|entry| &entry.goals);
        let machine = goals.filter_map(|goal| match &goal.spec {
            Spec::Machine(spec) => Some((spec.machine_type.clone(), spec.image.clone())),
            _ => None,
        });
        machine
            .map(|(kind, image)| match image {
                ImageRef::Named { id, .. } => (kind, id.to_string()),
                ImageRef::Managed(addr) => panic!("{addr}"),
            })
            .collect()
    };
    let of = |kind: &str, image: &str| BTreeSet::from([(kind.to_owned(), image.to_owned())]);
    assert_eq!(ids(&intent, &facts), of("medium", "img-x86_64"));
    intent.machines[0].size = Size::Type("arm-small".to_owned());
    assert_eq!(ids(&intent, &facts), of("arm-small", "img-aarch64"));

    for site in facts.values_mut() {
        site.images = PublicImages::default();
        let id = ResourceId::from("img-1");
        site.images.insert("debian-12", Some("x86_64"), id);
    }
    let problems = place(&intent, &facts, &empty()).expect_err("no image for it");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].finding.code, "unknown_image");
    assert!(
        problems[0].finding.message.contains("aarch64"),
        "{problems:#?}"
    );
}
