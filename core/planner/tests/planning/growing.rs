//! Ten times as many machines give way in steps that wait ten times as often, not a hundred times.

use crate::*;

/// How a fleet of some size gives way.
type Case = fn(u32) -> StepGraph;

fn room(cpu: u64, gib: u64) -> Facts {
    let mut facts = facts();
    facts.insert(name("dc1"), owned(cpu, gib));
    for facts in facts.values_mut() {
        facts.quotas.clear();
        // One call a machine, as with owned hardware.
        facts.capabilities.create_batch = 1;
        facts.capabilities.ids_per_call = 1;
    }
    facts
}

fn plenty() -> Facts {
    room(1 << 20, 1 << 20)
}

/// A fleet at one site.
fn fleet(text: &str, count: u32, site: &str) -> MachineIntent {
    let mut fleet = machines(text, count);
    fleet.placement.sites = vec![name(site)];
    fleet
}

/// What an applied topology of one fleet becomes once `change`d, where there is no more room than
/// `after` says.
fn changed(count: u32, after: &Facts, change: impl FnOnce(&mut Intent)) -> StepGraph {
    let mut intent = shop();
    intent.machines = vec![fleet("machines.web", count, "dc1")];
    intent.volumes.clear();
    let world = realise(&place(&intent, &plenty(), &empty()).expect("placed"));
    change(&mut intent);
    let desired = place(&intent, after, &world).expect("placed");
    let plan = diff(&desired, &world, after, None, &DiffOptions::default());
    let graph = lower(&plan, &world, after);
    assert!(graph.steps.iter().all(|step| step.height > 0), "a circle");
    graph
}

/// All of it in a few waves.
fn waves(count: u32) -> StepGraph {
    changed(count, &plenty(), |intent| {
        intent.machines[0].user_data = Some(UserData::text("#cloud-config 2"));
    })
}

/// The subnet goes first, and so do its machines.
fn replaced(count: u32) -> StepGraph {
    changed(count, &plenty(), |intent| {
        intent.subnets[0].newbits = 4;
    })
}

/// Another fleet takes the room.
fn evicted(count: u32) -> StepGraph {
    changed(count, &room(0, 0), |intent| {
        intent.machines = vec![fleet("machines.api", count, "dc1")];
    })
}

/// Another fleet takes the room, and this one is made anew elsewhere.
fn moved(count: u32) -> StepGraph {
    changed(count, &room(0, 0), |intent| {
        intent.machines = vec![
            fleet("machines.api", count, "dc1"),
            fleet("machines.web", count, "west"),
        ];
    })
}

#[test]
fn waits_grow_with_the_machines() {
    let cases: [(&str, Case); 4] = [
        ("waves", waves),
        ("replaced", replaced),
        ("evicted", evicted),
        ("moved", moved),
    ];
    for (case, graph) in cases {
        let [(machines, few), (_, many)] = [20, 200].map(|count| {
            let graph = graph(count);
            let steps = graph.steps.iter();
            let waits: usize = steps.map(|step| step.deps.len() + step.joins.len()).sum();
            let joined: usize = graph.joins.iter().map(|join| join.deps.len()).sum();
            let both = |op: fn(&StepOp) -> bool| {
                let steps = graph.steps.iter();
                steps
                    .filter(|step| step.kind == Kind::Machine && op(&step.op))
                    .count()
            };
            let made = both(|op| matches!(op, StepOp::Create { .. }));
            let gone = both(|op| matches!(op, StepOp::Delete { .. }));
            assert!(made >= count as usize && gone >= count as usize, "{case}");
            (made + gone, waits + joined)
        });
        assert!(few >= machines, "{case}: only {few} waits");
        assert!(many <= few * 11, "{case}: {few} waits, then {many}");
    }
}

/// Who goes still waits for each of those that come, and the other way round.
#[test]
fn waits_that_come_together_hold_for_each() {
    let graph = moved(6);
    let of = |block: &str, op: fn(&StepOp) -> bool| {
        let steps = graph.steps.iter();
        let steps = steps.filter(|step| step.addr.to_string().starts_with(block) && op(&step.op));
        steps.collect::<Vec<_>>()
    };
    let made = of("machines.api@dc1", |op| matches!(op, StepOp::Create { .. }));
    let gone = of("machines.web@dc1", |op| matches!(op, StepOp::Delete { .. }));
    let elsewhere = of("machines.web@west", |op| {
        matches!(op, StepOp::Create { .. })
    });
    assert_eq!([made.len(), gone.len(), elsewhere.len()], [6; 3]);
    for (waiting, before) in [(&made, &gone), (&gone, &elsewhere)] {
        for step in waiting {
            let deps: BTreeSet<StepId> = graph.deps(step).collect();
            assert!(before.iter().all(|before| deps.contains(&before.id)));
        }
    }
}
