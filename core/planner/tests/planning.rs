//! What the planner says of a small world, and of one that was tampered with.

mod common;

use std::collections::BTreeSet;

use common::*;
use strat_model::*;
use strat_planner::*;

fn plan_of(intent: &Intent, inventory: &Inventory) -> Plan {
    plan_with(intent, inventory, None, &DiffOptions::default())
}

fn plan_with(
    intent: &Intent,
    inventory: &Inventory,
    applied: Option<&Applied>,
    options: &DiffOptions,
) -> Plan {
    let desired = placed(intent, inventory);
    let plan = diff(&desired, inventory, &facts(), applied, options);
    check_graph(&plan, inventory);
    plan
}

/// Every plan must lower to steps that can be run in some order, each after what it refers to.
fn check_graph(plan: &Plan, inventory: &Inventory) {
    let graph = lower(plan, inventory, &facts());
    assert!(
        graph.steps.iter().all(|step| step.height > 0),
        "a circle among the steps: {graph:#?}"
    );
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        format!(
            "{} {} x{}",
            change.action.as_str(),
            change.addr,
            change.count
        )
    };
    plan.changes.iter().map(line).collect()
}

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
fn a_lost_machine_is_drift_when_it_was_there_before() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let dc1 = world.sites.get_mut("dc1").expect("dc1");
    let lost = dc1
        .resources
        .iter()
        .position(|r| r.id.as_str() == "machines.web@dc1#2")
        .expect("member");
    dc1.resources.remove(lost);
    let applied = Applied::from([(addr("machines.web@dc1"), 6)]);
    let plan = plan_with(&intent, &world, Some(&applied), &DiffOptions::default());
    assert_eq!(lines(&plan), ["create machines.web@dc1 x1"]);
    assert_eq!(plan.changes[0].cause, Cause::Drift);
    let plan = plan_of(&intent, &world);
    assert_eq!(
        plan.changes[0].cause,
        Cause::Topology,
        "without a record nobody can tell"
    );
}

#[test]
fn a_field_changed_behind_our_back_is_drift_and_one_in_the_file_is_not() {
    let mut intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    if let Spec::Bucket(bucket) = &mut at(&mut world, "bucket.assets@east").spec {
        bucket.versioning = false;
    }
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update bucket.assets@east x1"]);
    assert_eq!(plan.changes[0].cause, Cause::Drift);

    let world = realise(&placed(&intent, &empty()));
    intent.buckets[0].versioning = false;
    let plan = plan_of(&intent, &world);
    assert_eq!(plan.changes[0].cause, Cause::Topology);
    assert_eq!(plan.changes[0].fields[0].field, Field::Versioning);
}

#[test]
fn a_foreign_rule_in_a_firewall_is_drift() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    if let Spec::Firewall(firewall) = &mut at(&mut world, "firewall.web@west").spec {
        let mut open = firewall.rules.first().expect("rule").clone();
        open.name = name("backdoor");
        firewall.rules.insert(open);
    }
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update firewall.web@west x1"]);
    assert_eq!(plan.changes[0].cause, Cause::Drift);
}

#[test]
fn a_newer_build_of_an_image_replaces_nothing() {
    let intent = shop();
    let world = realise(&placed(&intent, &empty()));
    let mut facts = facts();
    for site in facts.values_mut() {
        site.images
            .insert("debian-12".to_owned(), ResourceId::from("img-2"));
    }
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:#?}", plan.changes);
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
fn new_user_data_replaces_the_fleet_new_before_old() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].user_data = Some(UserData::text("#cloud-config 2"));
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["replace machines.web@dc1 x6"]);
    assert_eq!(plan.changes[0].order, Some(ReplaceOrder::CreateFirst));
    let graph = lower(&plan, &world, &facts());
    let creates: Vec<StepId> = graph
        .steps
        .iter()
        .filter(|step| matches!(step.op, StepOp::Create { .. }))
        .map(|step| step.id)
        .collect();
    for step in &graph.steps {
        if matches!(step.op, StepOp::Delete { .. }) {
            assert!(creates.iter().all(|create| step.deps.contains(create)));
        }
    }
}

#[test]
fn user_data_that_names_an_address_waits_for_it_and_settles() {
    let mut intent = shop();
    intent.machines[1].user_data = Some(UserData::new(vec![
        TemplatePart::Text("db=".to_owned()),
        TemplatePart::Attribute {
            of: local("machine.db"),
            attribute: "private_ip".to_owned(),
        },
    ]));
    let plan = plan_of(&intent, &empty());
    let web = plan
        .changes
        .iter()
        .find(|change| change.addr.local == local("machines.web"));
    assert_eq!(web.expect("web").depends_on, [addr("machine.db@dc1")]);

    let mut world = realise(&placed(&intent, &empty()));
    at(&mut world, "machine.db@dc1")
        .attributes
        .insert("private_ip".to_owned(), "10.1.2.3".to_owned());
    for resource in &mut world.sites.get_mut("dc1").expect("dc1").resources {
        let mark = resource.mark.as_mut().expect("mark");
        if mark.addr == addr("machines.web@dc1") {
            mark.notes
                .insert(Field::UserData, UserData::text("db=10.1.2.3").digest);
        }
    }
    assert!(plan_of(&intent, &world).is_empty());
    at(&mut world, "machine.db@dc1")
        .attributes
        .insert("private_ip".to_owned(), "10.1.2.4".to_owned());
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["replace machines.web@dc1 x6"]);
    assert_eq!(plan.changes[0].cause, Cause::Dependency);
}

#[test]
fn a_replaced_machine_takes_its_volume_along() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.machines[0].user_data = None;
    let plan = plan_of(&intent, &world);
    assert_eq!(
        lines(&plan),
        ["replace machine.db@dc1 x1", "update volume.db@dc1 x1"]
    );
    let graph = lower(&plan, &world, &facts());
    let find = |test: &dyn Fn(&StepOp) -> bool| {
        graph
            .steps
            .iter()
            .find(|step| test(&step.op))
            .expect("a step")
            .clone()
    };
    let create = find(&|op| matches!(op, StepOp::Create { .. }));
    let detach = find(&|op| matches!(op, StepOp::Detach { .. }));
    let attach = find(&|op| matches!(op, StepOp::Attach { .. }));
    let delete = find(&|op| matches!(op, StepOp::Delete { .. }));
    assert!(
        detach.deps.contains(&create.id),
        "the new one is there before the old loses its volume"
    );
    assert!(attach.deps.contains(&detach.id));
    assert!(delete.deps.contains(&detach.id));
}

#[test]
fn a_new_address_space_remakes_what_is_in_it() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.networks[0].cidr = "10.30.0.0/16".parse().expect("cidr");
    let plan = plan_of(&intent, &world);
    let kinds: BTreeSet<_> = plan
        .changes
        .iter()
        .map(|change| (change.kind, change.action))
        .collect();
    assert!(kinds.contains(&(Kind::Network, Action::Replace)));
    assert!(kinds.contains(&(Kind::Subnet, Action::Replace)));
    assert!(kinds.contains(&(Kind::Firewall, Action::Replace)));
    assert!(kinds.contains(&(Kind::Machine, Action::Replace)));
    assert!(
        kinds.contains(&(Kind::Volume, Action::Update)),
        "volumes keep their bytes: {kinds:?}"
    );
    assert!(
        !plan
            .changes
            .iter()
            .any(|change| change.kind == Kind::Bucket)
    );
}

#[test]
fn smaller_subnets_go_first_where_they_would_overlap() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.subnets[0].newbits = 4;
    let plan = plan_of(&intent, &world);
    assert!(
        plan.changes
            .iter()
            .any(|change| change.action == Action::Replace && change.kind == Kind::Subnet)
    );
}

#[test]
fn firewalls_that_name_each_other_are_made_in_two() {
    let mut intent = shop();
    intent.firewalls = vec![
        firewall(
            "firewall.db",
            vec![
                rule("a", Peer::Firewall(local("firewall.web")), 1),
                rule("self", Peer::Firewall(local("firewall.db")), 2),
            ],
        ),
        firewall(
            "firewall.web",
            vec![rule("b", Peer::Firewall(local("firewall.db")), 3)],
        ),
    ];
    let plan = plan_of(&intent, &empty());
    let graph = lower(&plan, &empty(), &facts());
    let at_dc1: Vec<_> = graph
        .steps
        .iter()
        .filter(|step| step.kind == Kind::Firewall && step.site == "dc1")
        .map(|step| matches!(step.op, StepOp::Update { .. }))
        .collect();
    assert_eq!(at_dc1.iter().filter(|update| **update).count(), 2);
    assert_eq!(at_dc1.len(), 4);
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
fn protection_forbids_before_the_first_call() {
    let mut intent = shop();
    intent.volumes[0].common.protect = true;
    let world = realise(&placed(&intent, &empty()));
    intent.volumes.clear();
    let plan = plan_of(&intent, &world);
    assert_eq!(
        plan.protected().count(),
        1,
        "the mark protects, whatever the file says now"
    );

    intent.volumes = vec![volume("volume.db", "machine.db")];
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update volume.db@dc1 x1"]);
    assert_eq!(plan.protected().count(), 0, "lifting it is an update");
}

#[test]
fn a_partial_inventory_deletes_and_makes_nothing_of_that_kind() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let dc1 = world.sites.get_mut("dc1").expect("dc1");
    dc1.resources
        .retain(|resource| resource.kind() != Kind::Machine);
    dc1.coverage.insert(
        Kind::Machine,
        Coverage::Partial {
            why: "the list timed out".to_owned(),
        },
    );
    let plan = plan_of(&intent, &world);
    assert!(
        plan.changes
            .iter()
            .all(|change| change.kind != Kind::Machine),
        "{:#?}",
        lines(&plan)
    );
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action != Action::Delete)
    );
    assert!(!plan.withheld.is_empty());
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
fn another_owner_and_things_without_a_mark_are_never_touched() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let mut foreign = at(&mut world, "machine.db@dc1").clone();
    foreign.id = ResourceId::from("foreign");
    foreign.name = "foreign".to_owned();
    foreign.mark = None;
    let mut other = foreign.clone();
    other.mark = at(&mut world, "machine.db@dc1").mark.clone();
    other.mark.as_mut().expect("mark").owner = "bank/shop".parse().expect("owner");
    world
        .sites
        .get_mut("dc1")
        .expect("dc1")
        .resources
        .extend([foreign, other]);
    assert!(plan_of(&intent, &world).is_empty());
    let desired = Desired {
        owner: intent.owner.clone(),
        entries: Default::default(),
        withheld: Default::default(),
    };
    let options = DiffOptions {
        mode: Mode::Destroy,
        ..DiffOptions::default()
    };
    let plan = diff(&desired, &world, &facts(), None, &options);
    assert_eq!(plan.summary.delete, 31);
    check_graph(&plan, &world);
}

#[test]
fn a_lost_mark_is_put_back_not_made_twice() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    at(&mut world, "bucket.assets@east").mark = None;
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["adopt bucket.assets@east x1"]);
}

#[test]
fn deleting_most_of_a_topology_needs_consent() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.machines.clear();
    intent.volumes.clear();
    intent.firewalls.clear();
    intent.keypairs.clear();
    let plan = plan_of(&intent, &world);
    assert_eq!(
        plan.guard,
        Some(Guard {
            deletes: 17,
            existing: 31
        })
    );
}

#[test]
fn a_target_brings_what_it_needs_and_nothing_else() {
    let options = DiffOptions {
        targets: vec!["machine.db".parse().expect("target")],
        ..DiffOptions::default()
    };
    let plan = plan_with(&shop(), &empty(), None, &options);
    assert_eq!(
        lines(&plan),
        [
            "create network.core@dc1 x1",
            "create subnet.app@dc1 x1",
            "create firewall.db@dc1 x1",
            "create firewall.web@dc1 x1",
            "create keypair.ops@dc1 x1",
            "create machine.db@dc1 x1",
        ]
    );
}

#[test]
fn what_finds_no_place_is_said_with_the_reasons() {
    let mut intent = shop();
    intent.machines[1].count = 500;
    let problems = place(&intent, &facts(), &empty()).expect_err("too many");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].code, "no_capacity");
    intent.machines[1].count = 1;
    intent.machines[1].size = Size::AtLeast {
        cpu: 1000,
        memory: Bytes::gib(1),
    };
    let problems = place(&intent, &facts(), &empty()).expect_err("too large");
    assert_eq!(problems[0].code, "impossible_size");
    intent.machines[1].size = Size::AtLeast {
        cpu: 1,
        memory: Bytes::gib(1),
    };
    intent.machines[1].image = Ok("debian-99".to_owned());
    let problems = place(&intent, &facts(), &empty()).expect_err("no image");
    assert_eq!(problems[0].code, "unknown_image");
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
fn the_same_arguments_give_the_same_bytes() {
    let bytes = || serde_json::to_vec(&plan_of(&shop(), &empty())).expect("json");
    assert_eq!(bytes(), bytes());
    let plan: Plan = serde_json::from_slice(&bytes()).expect("a plan reads back");
    assert_eq!(serde_json::to_vec(&plan).expect("json"), bytes());
}

#[test]
fn a_stopped_machine_is_switched_on_and_a_failed_one_replaced() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    at(&mut world, "machine.db@dc1").state = ResourceState::Stopped;
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update machine.db@dc1 x1"]);
    let graph = lower(&plan, &world, &facts());
    assert_eq!(graph.steps.len(), 1);
    assert!(matches!(graph.steps[0].op, StepOp::Start { .. }));
    at(&mut world, "machine.db@dc1").state = ResourceState::Failed;
    let plan = plan_of(&intent, &world);
    assert_eq!(plan.changes[0].action, Action::Replace);
}
