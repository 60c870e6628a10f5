//! What was done behind Stratiform's back, and what is not ours.

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{check_graph, lines, plan_of, plan_with};

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
            .insert("debian-12", None, ResourceId::from("img-2"));
    }
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:#?}", plan.changes);
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
fn nothing_is_planned_for_what_refers_to_things_that_were_not_seen() {
    let intent = shop();
    for kind in Kind::ALL {
        let mut world = realise(&placed(&intent, &empty()));
        unsee(&mut world, "east", kind);
        let plan = plan_of(&intent, &world);
        assert_eq!(lines(&plan), [""; 0], "without the list of {kind}s");
        // Even where the topology wants something else by now.
        let mut edited = intent.clone();
        edited.machines.clear();
        edited.volumes.clear();
        edited.addresses.clear();
        let plan = plan_of(&edited, &world);
        let wrong = plan.changes.iter().filter(|change| change.site == "east");
        let wrong: Vec<_> = wrong
            .filter(|c| kind == c.kind || is_ground(kind))
            .collect();
        assert!(wrong.is_empty(), "without {kind}s: {wrong:#?}");
        assert!(!is_ground(kind) || !plan.withheld.is_empty());
    }
}

#[test]
fn a_destroy_says_what_it_leaves_because_it_was_not_seen() {
    let mut world = realise(&placed(&shop(), &empty()));
    let nothing = Desired::nothing(shop().owner);
    let options = DiffOptions {
        mode: Mode::Destroy,
        ..DiffOptions::default()
    };
    unsee(&mut world, "east", Kind::Firewall);
    let plan = diff(&nothing, &world, &facts(), None, &options);
    let left = |kind| move |c: &&strat_planner::Change| c.site == "east" && c.kind == kind;
    assert_eq!(plan.changes.iter().filter(left(Kind::Firewall)).count(), 0);
    assert_eq!(plan.changes.iter().filter(left(Kind::Network)).count(), 0);
    assert_ne!(plan.changes.iter().filter(left(Kind::Bucket)).count(), 0);
    assert!(!plan.withheld.is_empty());
    unsee(&mut world, "east", Kind::Subnet);
    let plan = diff(&nothing, &world, &facts(), None, &options);
    assert!(plan.changes.iter().all(|change| change.site != "east"));
    let told = |plan: &strat_planner::Plan| -> Vec<String> {
        plan.withheld
            .iter()
            .map(|w| format!("{}: {}", w.what, w.why))
            .collect()
    };
    assert_eq!(told(&plan), ["what is at east: the list timed out"]);
    let mut mute = facts();
    mute.remove("dc1");
    let plan = diff(&nothing, &world, &mute, None, &options);
    assert_eq!(told(&plan).len(), 2, "{:?}", told(&plan));
}

/// Makes the list of a kind at a site one that broke off before its first page.
fn unsee(world: &mut strat_model::Inventory, site: &str, kind: Kind) {
    let site = world.sites.get_mut(site).expect("the site");
    site.resources.retain(|resource| resource.kind() != kind);
    let why = "the list timed out".to_owned();
    site.coverage.insert(kind, Coverage::Partial { why });
}

/// Whether a site of which this kind was not seen is left alone altogether.
fn is_ground(kind: Kind) -> bool {
    use Kind::{Machine, Network, Subnet, Volume};
    matches!(kind, Network | Subnet | Machine | Volume)
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
    let desired = Desired::nothing(intent.owner.clone());
    let options = DiffOptions {
        mode: Mode::Destroy,
        ..DiffOptions::default()
    };
    let plan = diff(&desired, &world, &facts(), None, &options);
    assert_eq!(plan.summary.delete, 31);
    check_graph(&plan, &world);
}

#[test]
fn what_has_its_name_and_no_mark_is_left_and_not_made_twice() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    at(&mut world, "bucket.assets@east").mark = None;
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), Vec::<String>::new());
    let held = &plan.withheld[0];
    assert_eq!(held.what, "bucket.assets@east");
    assert!(held.why.contains("adopt bucket.assets"), "{}", held.why);
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

#[test]
fn what_names_a_site_that_the_topology_has_not_is_told_and_left_alone() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let resource = at(&mut world, "bucket.assets@east");
    resource.mark.as_mut().expect("mark").addr.site = name("old-east");
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["create bucket.assets@east x1"]);
    assert!(
        plan.withheld[0].why.contains("old-east"),
        "{:?}",
        plan.withheld
    );
}

/// The machine was deleted by a run of ours, which let its volume go first: nobody else changed that.
#[test]
fn a_volume_whose_machine_is_made_again_was_changed_by_nobody_else() {
    let intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    for site in world.sites.values_mut() {
        site.resources.retain(|thing| {
            let addr = thing.mark.as_ref().map(|mark| mark.addr.local.to_string());
            addr.as_deref() != Some("machine.db")
        });
        for thing in &mut site.resources {
            if let Spec::Volume(volume) = &mut thing.spec {
                volume.attach = None;
            }
        }
    }
    let plan = plan_of(&intent, &world);
    let mut changes = plan.changes.iter();
    let volume = changes
        .find(|change| change.kind == Kind::Volume)
        .expect("it is attached");
    assert_eq!(
        (volume.action, volume.cause),
        (Action::Update, Cause::Dependency)
    );
}
