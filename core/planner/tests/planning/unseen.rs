//! What is known to be where nobody looks now: it is left as it is, and the rest goes on.

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{check_graph, lines, plan_of};

const WHY: &str = "the host kvm2 is down";
const EMPTIED: &str = "the host kvm2 is to be emptied";

/// Has something be on a host that is away.
fn lose(world: &mut Inventory, id: &str) {
    let dc1 = world.sites.get_mut("dc1").expect("dc1");
    let mut things = dc1.resources.iter_mut();
    let thing = things.find(|one| one.id.as_str() == id).expect("a thing");
    thing.state = ResourceState::Unseen;
    copied(thing);
}

/// Has a machine be on a host that is to be emptied.
fn leave(world: &mut Inventory, id: &str) {
    let dc1 = world.sites.get_mut("dc1").expect("dc1");
    let mut things = dc1.resources.iter_mut();
    let thing = things.find(|one| one.id.as_str() == id).expect("a thing");
    let attributes = [(Resource::LEAVES.to_owned(), EMPTIED.to_owned())];
    thing.attributes.extend(attributes);
}

/// Has a copy of something be there.
fn copied(thing: &mut Resource) {
    let attributes = [(Resource::UNSEEN.to_owned(), WHY.to_owned())];
    thing.attributes.extend(attributes);
}

fn told(plan: &Plan, what: &str) -> bool {
    let mut withheld = plan.withheld.iter();
    withheld.any(|one| one.what.starts_with(what) && one.why.contains(WHY))
}

fn world() -> (Intent, Inventory) {
    let intent = shop();
    let world = realise(&placed(&intent, &empty()));
    (intent, world)
}

#[test]
fn a_thing_that_is_not_looked_at_is_neither_made_nor_changed_nor_deleted() {
    let (intent, mut world) = world();
    for id in ["machine.db@dc1#0", "volume.db@dc1#0"] {
        lose(&mut world, id);
    }
    let plan = plan_of(&intent, &world);
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
    assert!(told(&plan, "volume.db"), "{:#?}", plan.withheld);
    let of_machine = |one: &Withheld| one.what.starts_with("machine.db");
    assert!(plan.withheld.iter().any(of_machine), "{:#?}", plan.withheld);

    let mut larger = intent.clone();
    larger.volumes[0].size = Bytes::gib(500);
    larger.machines[0].size = Size::AtLeast {
        cpu: 8,
        memory: Bytes::gib(8),
    };
    let plan = plan_of(&larger, &world);
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);

    // Not even where the topology has it no more, and nothing goes that it is in.
    let mut without = intent;
    (without.volumes, without.subnets) = (Vec::new(), Vec::new());
    (without.machines, without.networks) = (Vec::new(), Vec::new());
    without.firewalls = Vec::new();
    let plan = plan_of(&without, &world);
    let lines = lines(&plan);
    for stays in ["machine.db@dc1", "volume.db@dc1", "network.core@dc1"] {
        let goes = lines.iter().any(|line| line.contains(stays));
        assert!(!goes, "{stays}: {lines:#?}");
    }
    let goes = |what: &str| lines.iter().any(|line| line.starts_with(what));
    assert!(goes("delete machines.web@dc1"), "{lines:#?}");
}

#[test]
fn a_second_one_beside_it_is_told_and_neither_is_touched() {
    let (intent, mut world) = world();
    let dc1 = world.sites.get_mut("dc1").expect("dc1");
    let mut things = dc1.resources.iter();
    let volume = things.find(|one| one.id.as_str() == "volume.db@dc1#0");
    let mut newer = volume.expect("a volume").clone();
    newer.id = ResourceId::from("volume.db@dc1#1");
    newer.mark.as_mut().expect("a mark").generation = 2;
    dc1.resources.push(newer);
    lose(&mut world, "volume.db@dc1#0");
    let plan = plan_of(&intent, &world);
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
    assert!(told(&plan, "volume.db"), "{:#?}", plan.withheld);
}

#[test]
fn members_of_a_fleet_that_are_not_looked_at_count_and_stay() {
    let (mut intent, mut world) = world();
    for id in ["machines.web@dc1#0", "machines.web@dc1#1"] {
        lose(&mut world, id);
    }
    let plan = plan_of(&intent, &world);
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);

    // Only what is more is made.
    intent.machines[1].count = 8;
    assert_eq!(
        lines(&plan_of(&intent, &world)),
        ["create machines.web@dc1 x2"]
    );

    // Of those too many in a zone, the ones that cannot be reached are left.
    intent.machines[1].count = 1;
    let plan = plan_of(&intent, &world);
    let goes = plan.changes.iter().flat_map(|change| &change.targets);
    let goes: Vec<_> = goes.map(|target| target.id.as_str()).collect();
    assert_eq!(goes.len(), 3, "one stays, and the two: {goes:#?}");
    let unseen = ["machines.web@dc1#0", "machines.web@dc1#1"];
    assert!(!goes.iter().any(|id| unseen.contains(id)), "{goes:#?}");
    assert!(told(&plan, "machines.web@dc1"), "{:#?}", plan.withheld);

    // Where their zone sells nothing and is no zone any more, none is made for them.
    intent.machines[1].count = 6;
    for thing in &mut world.sites.get_mut("dc1").expect("dc1").resources {
        if let (ResourceState::Unseen, Spec::Machine(machine)) = (thing.state, &mut thing.spec) {
            machine.zone = name("rack9");
        }
    }
    let plan = plan_of(&intent, &world);
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
}

#[test]
fn what_has_a_copy_there_is_not_changed_until_it_is_back() {
    let (mut intent, mut world) = world();
    intent.firewalls[1] = firewall("firewall.web", vec![rule("http", Peer::Internet, 443)]);
    let before = lines(&plan_of(&intent, &world));
    assert!(
        before.contains(&"update firewall.web@dc1 x1".to_owned()),
        "{before:#?}"
    );
    copied(at(&mut world, "firewall.web@dc1"));
    let plan = plan_of(&intent, &world);
    let is_changed = lines(&plan)
        .iter()
        .any(|line| line.contains("firewall.web@dc1"));
    assert!(!is_changed && told(&plan, "firewall.web@dc1"), "{plan:#?}");
    // The other sites have no copy there.
    assert_eq!(lines(&plan).len(), before.len() - 1);
    intent.firewalls = Vec::new();
    for machine in &mut intent.machines {
        machine.firewalls = Shared::default();
    }
    let plan = plan_of(&intent, &world);
    let is_changed = lines(&plan)
        .iter()
        .any(|line| line.contains("firewall.web@dc1"));
    assert!(!is_changed, "{plan:#?}");
}

#[test]
fn members_of_a_fleet_leave_a_host_that_is_to_be_emptied_and_others_stay() {
    let (mut intent, mut world) = world();
    for id in [
        "machines.web@dc1#0",
        "machines.web@dc1#1",
        "machine.db@dc1#0",
    ] {
        leave(&mut world, id);
    }
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["replace machines.web@dc1 x2"]);
    let change = &plan.changes[0];
    assert_eq!(
        (change.reason.as_str(), change.cause),
        (EMPTIED, Cause::Requested)
    );
    assert_eq!(change.order, Some(ReplaceOrder::CreateFirst));
    assert!(plan.withheld.is_empty(), "{:#?}", plan.withheld);

    // As many as find room, and none goes before its successor is there.
    let web = world.sites["dc1"].resources.iter();
    let web = web.filter(|one| one.id.as_str().starts_with("machines.web"));
    let Some(Spec::Machine(one)) = web.map(|one| &one.spec).next() else {
        panic!("a machine")
    };
    for (room, moves) in [(0, 0), (1, 1), (2, 2)] {
        let mut facts = facts();
        facts.get_mut("dc1").expect("dc1").free = Some(Pool {
            cpu: u64::from(one.cpu) * room,
            memory: Bytes(one.memory.0 * room),
            disk: Bytes(u64::MAX),
            ..Pool::default()
        });
        let desired = place(&intent, &facts, &world).expect("placed");
        let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
        check_graph(&plan, &world);
        let goes: u32 = plan.changes.iter().map(|change| change.count).sum();
        assert_eq!(goes, moves, "{room}: {:#?}", plan.changes);
        let told = plan
            .withheld
            .iter()
            .any(|one| one.why.contains("find no room elsewhere"));
        assert_eq!(told, moves < 2, "{:#?}", plan.withheld);
        let first = plan.rollouts.values().any(|rollout| rollout.destroy_first);
        assert!(!first && plan.tight.is_empty(), "{plan:#?}");
    }

    // What is protected stays.
    intent.machines[1].common.protect = true;
    let plan = plan_of(&intent, &world);
    assert!(
        plan.changes.iter().all(|one| one.action != Action::Replace),
        "{plan:#?}"
    );
}
