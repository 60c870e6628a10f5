//! Whose data a plan destroys.

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{plan_of, plan_with};

fn losses(plan: &Plan) -> Vec<String> {
    let losses = plan.data_loss.iter();
    losses.map(|loss| loss.addr.to_string()).collect()
}

/// The shop's things, with another class for its volume and another image for its machines: a
/// volume, a machine and a fleet that cannot be changed in place.
fn changed() -> (Intent, Inventory) {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.volumes[0].class = DiskClass::Hdd;
    for machines in &mut intent.machines {
        machines.user_data = Some(UserData::text("#cloud-config 2"));
    }
    (intent, world)
}

#[test]
fn replacements_of_what_holds_data_are_listed_by_name_and_id() {
    let (intent, world) = changed();
    let plan = plan_of(&intent, &world);
    assert_eq!(losses(&plan), ["machine.db@dc1", "volume.db@dc1"]);
    for loss in &plan.data_loss {
        assert_eq!(loss.id, id(&loss.addr));
        assert_eq!(loss.action, Action::Replace);
    }
    for change in &plan.changes {
        let holds = losses(&plan).contains(&change.addr.to_string());
        assert_eq!(Plan::loses_data(change), holds, "{}", change.addr);
    }
}

#[test]
fn a_destroy_lists_all_of_it_but_what_is_known_to_be_empty() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let options = DiffOptions {
        mode: Mode::Destroy,
        ..DiffOptions::default()
    };
    let destroy = |world: &Inventory| {
        let nothing = Desired::nothing(intent.owner.clone());
        let plan = diff(&nothing, world, &facts(), None, &options);
        losses(&plan)
    };
    let all = ["machine.db@dc1", "volume.db@dc1", "bucket.assets@east"];
    assert_eq!(destroy(&world), all, "nobody said what is in the bucket");
    let bucket = |world: &mut Inventory, empty: &str| {
        let attributes = &mut at(world, "bucket.assets@east").attributes;
        attributes.insert(Resource::EMPTY.to_owned(), empty.to_owned());
    };
    bucket(&mut world, "false");
    assert_eq!(destroy(&world), all);
    bucket(&mut world, "true");
    assert_eq!(destroy(&world), all[..2]);
}

#[test]
fn disposable_counts_where_the_mark_and_the_topology_say_so() {
    for (marked, said, lost) in [
        (false, true, true),
        (true, false, true),
        (true, true, false),
        (false, false, true),
    ] {
        let (mut intent, mut world) = changed();
        intent.volumes[0].common.disposable = said;
        let mark = at(&mut world, "volume.db@dc1").mark.as_mut();
        mark.expect("a mark").disposable = marked;
        let plan = plan_of(&intent, &world);
        let is_lost = losses(&plan).contains(&"volume.db@dc1".to_owned());
        assert_eq!(is_lost, lost, "mark {marked}, topology {said}");
    }
}

#[test]
fn only_a_volume_that_was_never_attached_is_taken_for_empty() {
    let mut intent = shop();
    intent.volumes[0].target = AttachIntent::Site {
        site: name("dc1"),
        zone: None,
    };
    let unattached = realise(&placed(&intent, &empty()));
    let mut without = intent.clone();
    without.volumes.clear();
    assert!(losses(&plan_of(&without, &unattached)).is_empty());

    // By hand, for a moment or still.
    let mut by_hand = unattached.clone();
    let spec = &mut at(&mut by_hand, "volume.db@dc1").spec;
    let Spec::Volume(volume) = spec else { panic!() };
    volume.attach = Some(id(&addr("machine.db@dc1")));
    assert_eq!(losses(&plan_of(&without, &by_hand)), ["volume.db@dc1"]);

    // As the topology had it, and let it go again: its mark forgets nothing.
    let attached = realise(&placed(&shop(), &empty()));
    let mut let_go = attached.clone();
    let spec = &mut at(&mut let_go, "volume.db@dc1").spec;
    let Spec::Volume(volume) = spec else { panic!() };
    volume.attach = None;
    let desired = placed(&intent, &let_go);
    let goal = &desired.entries[&addr("volume.db@dc1")].goals[0];
    assert!(!goal.notes.contains_key(&Field::Attach));
    assert_eq!(losses(&plan_of(&without, &let_go)), ["volume.db@dc1"]);
}

#[test]
fn a_volume_that_would_have_to_move_is_refused() {
    let intent = shop();
    let world = realise(&placed(&intent, &empty()));
    let at_site = |site: &str, zone: Option<&str>| AttachIntent::Site {
        site: name(site),
        zone: zone.map(name),
    };
    let things = &world.sites[&name("dc1")].resources;
    let volume = things.iter().find(|thing| thing.kind() == Kind::Volume);
    let here = volume.and_then(Resource::zone).expect("its zone").clone();
    let other = if here == name("rack1") {
        "rack2"
    } else {
        "rack1"
    };
    for (target, word) in [
        (
            at_site("dc1", Some(other)),
            format!("is in {here} and cannot move to {other}"),
        ),
        (
            at_site("east", None),
            "is at dc1 and cannot move to east".to_owned(),
        ),
    ] {
        let mut moved = intent.clone();
        moved.volumes[0].target = target;
        let findings = place(&moved, &facts(), &world).expect_err("it is refused");
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].finding.message.contains(&word),
            "{}",
            findings[0].finding.message
        );
    }
}

#[test]
fn a_share_of_deletes_counts_what_has_an_identity_and_is_made_anew() {
    let mut intent = shop();
    intent.machines[1].count = 40;
    let volumes = (0..8).map(|n| volume(&format!("volume.v{n}"), "machine.db"));
    intent.volumes.extend(volumes);
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].user_data = Some(UserData::text("#cloud-config 2"));
    for volume in &mut intent.volumes {
        volume.class = DiskClass::Hdd;
    }
    let options = DiffOptions {
        delete_share_max: 0.1,
        ..DiffOptions::default()
    };
    let plan = plan_with(&intent, &world, None, &options);
    // Nine volumes; not the forty of the fleet.
    assert_eq!(plan.guard.expect("a guard").deletes, 9);
}
