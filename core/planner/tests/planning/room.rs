//! Nothing goes whose successor has no room.

use proptest::prelude::*;
use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::lines;

/// Machines of these CPUs on owned hardware, each with a GiB of memory a CPU.
fn owned_only(machines_of: &[(&str, u32, u32)]) -> Intent {
    let mut intent = shop();
    intent.volumes.clear();
    intent.machines = machines_of
        .iter()
        .map(|(text, count, cpu)| {
            let mut all = machines(text, *count);
            all.size = Size::AtLeast {
                cpu: *cpu,
                memory: Bytes::gib(u64::from(*cpu)),
            };
            all.placement.sites = vec![name("dc1")];
            all
        })
        .collect();
    intent
}

/// The facts of owned hardware of so many CPUs, and much memory, where so much is in use.
fn facts_of(cpu: u64, world: &Inventory) -> Facts {
    let mut facts = facts();
    let used: u64 = world.sites[&name("dc1")]
        .resources
        .iter()
        .map(|thing| match &thing.spec {
            Spec::Machine(machine) => machine.cpu.into(),
            _ => 0,
        })
        .sum();
    let dc1 = facts.get_mut("dc1").expect("dc1");
    dc1.free = Some(Pool {
        cpu: cpu - used,
        memory: Bytes::gib(100_000),
        disk: Bytes(u64::MAX),
        ..Pool::default()
    });
    facts
}

/// The world in which an intent was applied to owned hardware of so many CPUs.
fn applied(cpu: u64, intent: &Intent) -> Inventory {
    let desired = place(intent, &facts_of(cpu, &empty()), &empty());
    realise(&desired.expect("it finds a place"))
}

#[test]
fn a_machine_does_not_grow_beyond_what_is_left() {
    let before = owned_only(&[("machine.a", 1, 6), ("machine.b", 1, 4)]);
    let world = applied(10, &before);
    let after = owned_only(&[("machine.a", 1, 6), ("machine.b", 1, 8)]);
    let findings = place(&after, &facts_of(10, &world), &world).expect_err("no room");
    assert_eq!(findings.len(), 1);
    let finding = format!("{:?}", findings[0]);
    assert!(finding.contains("machine.b"), "{finding}");
    assert!(finding.contains("give dc1 4 more CPUs"), "{finding}");

    // With the room that another leaves, it does, and that one goes first.
    let after = owned_only(&[("machine.a", 1, 2), ("machine.b", 1, 8)]);
    let facts = facts_of(10, &world);
    let desired = place(&after, &facts, &world).expect("a place");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert_eq!(
        lines(&plan),
        ["replace machine.a@dc1 x1", "replace machine.b@dc1 x1"]
    );

    // A part of the plan that makes no room for itself is withheld.
    let options = DiffOptions {
        targets: vec!["machine.b".parse().expect("a target")],
        ..DiffOptions::default()
    };
    let part = diff(&desired, &world, &facts, None, &options);
    assert!(part.is_empty(), "{:?}", lines(&part));
    let withheld = part.withheld.iter().map(|held| held.what.as_str());
    assert_eq!(withheld.collect::<Vec<_>>(), ["machine.b@dc1"]);
}

#[test]
fn a_fleet_that_is_made_anew_and_grows_is_not_deleted_for_good() {
    let before = owned_only(&[("machines.web", 4, 2)]);
    let world = applied(8, &before);
    let mut after = owned_only(&[("machines.web", 4, 4)]);
    after.machines[0].user_data = Some(UserData::text("#cloud-config 2"));
    let findings = place(&after, &facts_of(8, &world), &world).expect_err("no room");
    let finding = format!("{:?}", findings[0]);
    assert!(
        finding.contains("2 of 4 machines of machines.web"),
        "{finding}"
    );
}

#[test]
fn what_has_become_too_much_stays_as_it_is() {
    let intent = owned_only(&[("machine.a", 1, 6), ("machine.b", 1, 4)]);
    let world = applied(10, &intent);
    let mut facts = facts_of(10, &world);
    // Somebody took hardware away: less than nothing is free.
    facts.get_mut("dc1").expect("dc1").free = Some(Pool {
        cpu: 0,
        memory: Bytes(0),
        disk: Bytes(0),
        ..Pool::default()
    });
    let desired = place(&intent, &facts, &world).expect("they stay");
    assert!(diff(&desired, &world, &facts, None, &DiffOptions::default()).is_empty());
}

/// The CPUs of all machines that are to be.
fn cpus(desired: &Desired) -> u64 {
    let goals = desired.entries.values().flat_map(|entry| &entry.goals);
    let each = goals.map(|goal| match &goal.spec {
        Spec::Machine(machine) => u64::from(machine.cpu) * u64::from(goal.count),
        _ => 0,
    });
    each.sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is changed to whatever: what is accepted fits, and what does not fit beside what
    /// stays is refused in whole.
    #[test]
    fn what_is_placed_on_owned_hardware_fits_in_the_end(
        before in prop::collection::vec((0_u32..5, 1_u32..5), 3),
        after in prop::collection::vec((0_u32..6, 1_u32..7), 3),
        spare in 0_u64..8,
    ) {
        let names = ["machines.a", "machines.b", "machines.c"];
        let of = |sizes: &[(u32, u32)]| {
            let all: Vec<_> = names.iter().zip(sizes).map(|(name, (n, cpu))| (*name, *n, *cpu)).collect();
            owned_only(&all)
        };
        let all: u64 = before.iter().map(|(n, cpu)| u64::from(n * cpu)).sum();
        let capacity = all + spare;
        let world = applied(capacity, &of(&before));
        let facts = facts_of(capacity, &world);
        let wanted: u64 = after.iter().map(|(n, cpu)| u64::from(n * cpu)).sum();
        match place(&of(&after), &facts, &world) {
            Ok(desired) => {
                prop_assert!(cpus(&desired) <= capacity, "{} of {capacity}", cpus(&desired));
                let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
                prop_assert!(plan.withheld.is_empty(), "{:?}", plan.withheld);
            }
            Err(_) => prop_assert!(wanted > capacity, "{wanted} fit into {capacity}"),
        }
    }
}
