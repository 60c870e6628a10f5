//! What a changed topology leads to, and in which order.

use std::collections::BTreeSet;

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{lines, plan_of, plan_with};

#[test]
fn new_user_data_replaces_the_fleet_new_before_old() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].user_data = Some(UserData::text("#cloud-config 2"));
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["replace machines.web@dc1 x6"]);
    assert_eq!(plan.changes[0].order, Some(ReplaceOrder::CreateFirst));
    let graph = lower(&plan, &world, &facts());
    // A quarter of six is one: six waves, each after the one before it.
    let machines: Vec<&Step> = graph.steps.iter().collect();
    assert_eq!(machines.len(), 12);
    for (number, wave) in machines.chunks(2).enumerate() {
        let [create, delete] = wave else { panic!() };
        assert!(matches!(create.op, StepOp::Create { count: 1, .. }));
        assert!(matches!(&delete.op, StepOp::Delete { targets } if targets.len() == 1));
        assert!(delete.deps.contains(&create.id));
        match number {
            0 => assert!(create.deps.is_empty()),
            _ => assert_eq!(create.deps, [machines[2 * number - 1].id]),
        }
    }
}

/// How many machines each step makes and deletes, in the order of the steps: `+2`, `-2`, `?`.
fn steps_of(plan: &Plan, world: &Inventory, facts: &Facts) -> Vec<String> {
    let graph = lower(plan, world, facts);
    assert!(graph.steps.iter().all(|step| step.height > 0), "{graph:#?}");
    let words = graph.steps.iter().map(|step| match &step.op {
        StepOp::Create { count, .. } => format!("+{count}"),
        StepOp::Delete { targets } => format!("-{}", targets.len()),
        StepOp::Probe { .. } => "?".to_owned(),
        other => format!("{other:?}"),
    });
    words.collect()
}

#[test]
fn waves_shrink_to_the_room_there_is_and_only_without_any_the_old_ones_go_first() {
    let mut intent = shop();
    intent.machines[1].rollout = RolloutIntent {
        wave: Wave::Machines(3),
        health: Some(HealthCheck {
            port: 80,
            path: None,
            address: HealthAddress::Private,
            timeout_ms: 1000,
            interval_ms: 100,
        }),
    };
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].user_data = Some(UserData::text("#cloud-config 2"));
    for (free, expected) in [
        (9, vec!["+3", "?", "-3", "+3", "?", "-3"]),
        // Three in each of two zones: the second wave is in both.
        (
            2,
            vec!["+2", "?", "-2", "+1", "+1", "?", "?", "-2", "+2", "?", "-2"],
        ),
        (1, ["+1", "?", "-1"].repeat(6)),
        (0, ["-3", "+3", "?"].repeat(2)),
    ] {
        let mut facts = facts();
        let one = Pool {
            cpu: 4,
            memory: Bytes::gib(16),
            disk: Bytes::gib(40),
            ..Pool::default()
        };
        facts.get_mut("dc1").expect("dc1").free = Some(Pool {
            cpu: one.cpu * free,
            memory: Bytes(one.memory.0 * free),
            disk: Bytes(one.disk.0 * free),
            ..Pool::default()
        });
        let desired = place(&intent, &facts, &world).expect("placed");
        let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
        assert_eq!(lines(&plan), ["replace machines.web@dc1 x6"], "{free}");
        assert_eq!(steps_of(&plan, &world, &facts), expected, "{free}");
        assert!(plan.tight.is_empty());
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
    assert_eq!(*web.expect("web").depends_on, [addr("machine.db@dc1")]);

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
    let stop = find(&|op| matches!(op, StepOp::Stop { .. }));
    let detach = find(&|op| matches!(op, StepOp::Detach { .. }));
    let attach = find(&|op| matches!(op, StepOp::Attach { .. }));
    let delete = find(&|op| matches!(op, StepOp::Delete { .. }));
    assert!(
        detach.deps.contains(&create.id),
        "the new one is there before the old loses its volume"
    );
    assert_eq!(stop.addr, addr("machine.db@dc1"));
    assert!(
        stop.deps.contains(&create.id),
        "the old one works until the new one is there"
    );
    assert!(
        detach.deps.contains(&stop.id),
        "nothing is pulled off a machine that runs"
    );
    assert!(attach.deps.contains(&detach.id));
    assert!(delete.deps.contains(&detach.id));
    let starts = graph.steps.iter();
    let starts = starts.filter(|step| matches!(step.op, StepOp::Start { .. }));
    assert_eq!(starts.count(), 0, "what goes is not started again");
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
fn moving_most_of_a_topology_deletes_nothing_for_good() {
    let mut intent = shop();
    intent.machines[1].count = 60;
    intent.machines[1].placement.sites = vec![name("east")];
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].placement.sites = vec![name("west")];
    let plan = plan_of(&intent, &world);
    // The machines, and their key pair.
    assert_eq!((plan.summary.create, plan.summary.delete), (61, 61));
    assert!(plan.guard.is_none(), "{:?}", plan.guard);
    intent.machines[1].count = 2;
    let guard = plan_of(&intent, &world).guard.expect("a guard");
    assert_eq!(guard.deletes, 59);
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
fn the_same_arguments_give_the_same_bytes() {
    let bytes = || serde_json::to_vec(&plan_of(&shop(), &empty())).expect("json");
    assert_eq!(bytes(), bytes());
    let plan: Plan = serde_json::from_slice(&bytes()).expect("a plan reads back");
    assert_eq!(serde_json::to_vec(&plan).expect("json"), bytes());
}

#[test]
fn a_volume_grows_in_place_and_never_shrinks() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.volumes[0].size = Bytes::gib(300);
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update volume.db@dc1 x1"]);
    intent.volumes[0].size = Bytes::gib(100);
    let problems = place(&intent, &facts(), &world).expect_err("it would lose what is on it");
    assert_eq!(problems[0].finding.code, "cannot_shrink");
}

#[test]
fn where_there_is_no_room_for_both_the_old_one_goes_first() {
    let mut intent = shop();
    // 15 web machines and the database fill dc1 to the last CPU.
    intent.machines[1].count = 15;
    let world = realise(&placed(&intent, &empty()));
    let mut facts = facts();
    facts.get_mut("dc1").expect("dc1").free = Some(Pool::default());
    intent.machines[0].user_data = None;
    intent.machines[1].count = 14;
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    let db = &plan.changes[0];
    assert_eq!(
        (db.action, db.order),
        (Action::Replace, Some(ReplaceOrder::DestroyFirst))
    );
    let graph = lower(&plan, &world, &facts);
    assert!(graph.steps.iter().all(|step| step.height > 0), "{graph:#?}");
    let machines = graph.steps.iter().filter(|step| step.kind == Kind::Machine);
    let (creates, others): (Vec<_>, Vec<_>) =
        machines.partition(|step| matches!(step.op, StepOp::Create { .. }));
    let deletes = others.into_iter();
    let deletes: Vec<_> = deletes
        .filter(|step| matches!(step.op, StepOp::Delete { .. }))
        .collect();
    assert_eq!((creates.len(), deletes.len()), (1, 2));
    let own = deletes.iter().find(|delete| delete.addr == db.addr);
    assert_eq!(creates[0].deps, [own.expect("it goes").id]);
}

#[test]
fn firewalls_that_name_each_other_go_together() {
    let mut intent = shop();
    intent.firewalls = vec![
        firewall(
            "firewall.db",
            vec![rule("a", Peer::Firewall(local("firewall.web")), 1)],
        ),
        firewall(
            "firewall.web",
            vec![rule("b", Peer::Firewall(local("firewall.db")), 3)],
        ),
    ];
    let world = realise(&placed(&intent, &empty()));
    intent.firewalls.clear();
    for machine in &mut intent.machines {
        machine.firewalls.clear();
    }
    let plan = plan_of(&intent, &world);
    let graph = lower(&plan, &world, &facts());
    let clears = graph
        .steps
        .iter()
        .filter(|step| matches!(step.op, StepOp::ClearRules { .. }));
    assert_eq!(clears.count(), 6, "two at each of three sites");
}
