//! Machines that become another size where they are.

use std::collections::BTreeSet;

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::lines;

/// A site that stops machines for another size, and gives them another address then.
#[derive(Debug)]
struct Stops;

impl ChangeRules for Stops {
    fn change(&self, is: &Resource, to: &Spec<()>, fields: &BTreeSet<Field>) -> Transition {
        let usual = LiveFields::usual(Kind::ALL);
        Transition::of_each(fields, |field| match field {
            Field::MachineType => Transition::by(Means::Restart).losing(Loss::DynamicAddress),
            Field::Versioning => Transition::refused("nobody asked for it"),
            _ => usual.change(is, to, &BTreeSet::from([field])),
        })
    }
}

fn stopping(mut facts: Facts) -> Facts {
    for site in facts.values_mut() {
        site.changes = Changes::new(Stops);
    }
    facts
}

fn sized(intent: &mut Intent, machine: usize, cpu: u32) {
    intent.machines[machine].size = Size::AtLeast {
        cpu,
        memory: Bytes::gib(u64::from(cpu)),
    };
}

fn ops(graph: &StepGraph) -> Vec<String> {
    let word = |step: &Step| {
        let op = format!("{:?}", step.op);
        let word = op.split([' ', '{']).next().unwrap_or_default().to_owned();
        format!("{word} {}", step.addr.local)
    };
    graph.steps.iter().map(word).collect()
}

#[test]
fn a_machine_is_stopped_for_another_size_and_asked_whether_it_works() {
    let mut intent = shop();
    let health = HealthCheck {
        port: 80,
        path: None,
        address: HealthAddress::Private,
        timeout_ms: 1000,
        interval_ms: 100,
    };
    intent.machines[0].rollout.health = Some(health.clone());
    let world = realise(&placed(&intent, &empty()));
    sized(&mut intent, 0, 8);
    let facts = stopping(facts());
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert_eq!(lines(&plan), ["update machine.db@dc1 x1"]);
    let change = &plan.changes[0];
    let takes = change.transition.as_ref().expect("what it takes");
    assert_eq!(takes.means, Means::Restart);
    assert_eq!(takes.loses, BTreeSet::from([Loss::DynamicAddress]));
    assert_eq!(change.health, Some(health.clone()));
    let size = change.fields.iter().find(|f| f.field == Field::MachineType);
    assert!(size.is_some_and(|size| size.stops && !size.forces_replacement));
    assert!(plan.data_loss.is_empty() && plan.guard.is_none());

    let graph = lower(&plan, &world, &facts);
    assert_eq!(ops(&graph), ["Restart machine.db", "Probe machine.db"]);
    let StepOp::Probe { health: asked, .. } = &graph.steps[1].op else {
        panic!("a probe");
    };
    assert_eq!(asked.as_ref(), Some(&health));
    assert_eq!(lint(&plan, &graph, &world, &facts), []);
}

#[test]
fn an_address_that_was_set_aside_is_not_lost() {
    let mut intent = shop();
    intent.addresses = vec![AddressIntent {
        common: common("address.db"),
        target: AttachIntent::Machine(local("machine.db")),
    }];
    let world = realise(&placed(&intent, &empty()));
    sized(&mut intent, 0, 8);
    let facts = stopping(facts());
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    let takes = plan.changes[0].transition.as_ref().expect("what it takes");
    assert_eq!(takes, &Transition::by(Means::Restart));
}

#[test]
fn members_of_a_fleet_are_made_anew_in_waves() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    sized(&mut intent, 1, 8);
    let facts = stopping(facts());
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert_eq!(lines(&plan), ["replace machines.web@dc1 x6"]);
    let takes = plan.changes[0].transition.as_ref();
    assert_eq!(takes, Some(&Transition::by(Means::Recreate)));
}

/// On hardware that is all in use, one gives the room that the other takes.
#[test]
fn what_shrinks_goes_before_what_grows() {
    let of = |first: u32, second: u32| {
        let mut intent = shop();
        intent.volumes.clear();
        intent.machines = vec![machines("machine.a", 1), machines("machine.b", 1)];
        for machine in &mut intent.machines {
            machine.placement.sites = vec![name("dc1")];
        }
        sized(&mut intent, 0, first);
        sized(&mut intent, 1, second);
        intent
    };
    for ((a, b), (a_then, b_then)) in [((6, 4), (2, 8)), ((4, 6), (8, 2))] {
        let mut facts = stopping(facts());
        let desired = place(&of(a, b), &facts, &empty()).expect("placed");
        let world = realise(&desired);
        facts.get_mut("dc1").expect("dc1").free = Some(Pool {
            cpu: 0,
            memory: Bytes::gib(0),
            disk: Bytes(u64::MAX),
            ..Pool::default()
        });
        let desired = place(&of(a_then, b_then), &facts, &world).expect("placed");
        let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
        let both = ["update machine.a@dc1 x1", "update machine.b@dc1 x1"];
        assert_eq!(lines(&plan), both);
        let graph = lower(&plan, &world, &facts);
        assert_eq!(lint(&plan, &graph, &world, &facts), []);
        let grown = if a_then > a { "machine.a" } else { "machine.b" };
        let step = graph.steps.iter().find(|step| {
            step.addr.local == local(grown) && matches!(step.op, StepOp::Restart { .. })
        });
        let step = step.expect("it grows");
        assert_eq!(graph.deps(step).count(), 1, "it waits for the other");
    }
}

#[test]
fn what_cannot_be_changed_at_all_is_left_and_told() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.buckets[0].versioning = !intent.buckets[0].versioning;
    let facts = stopping(facts());
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:?}", lines(&plan));
    let [one] = plan.refused.as_slice() else {
        panic!("{:#?}", plan.refused);
    };
    assert_eq!(
        (one.cause, one.why.as_str()),
        (Cause::Topology, "nobody asked for it")
    );
    assert_eq!(one.fields[0].field, Field::Versioning);
}
