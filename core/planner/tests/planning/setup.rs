//! What a provider sees to beyond the fields of a spec.

use strat_model::{Departure, Field, Inventory, Resource};
use strat_planner::{Action, Cause};

use crate::common::*;
use crate::matrix::everything;
use crate::plan_of;

/// Lets something that its provider sees to not be so.
fn depart(world: &mut Inventory, place: &str, departure: &Departure) {
    let place = addr(place);
    let mut all = world
        .sites
        .values_mut()
        .flat_map(|site| &mut site.resources);
    let is_there = |one: &&mut Resource| one.mark.as_ref().is_some_and(|mark| mark.addr == place);
    let found = all.find(is_there).expect("it is there");
    found.depart("autostart", departure);
}

const PLACES: [&str; 4] = [
    "network.core@dc1",
    "machine.db@east",
    "machines.web@dc1",
    "bucket.assets@east",
];

/// Of every kind it is drift, told with what is and what ought to be, and an update mends it.
#[test]
fn what_departs_is_drift_and_is_mended_in_place() {
    let intent = everything();
    let world = realise(&placed(&intent, &empty()));
    for place in PLACES {
        let mut world = world.clone();
        depart(&mut world, place, &Departure::new("off", "on"));
        let plan = plan_of(&intent, &world);
        let [change] = plan.changes.as_slice() else {
            panic!("{place}: {:?}", crate::lines(&plan));
        };
        assert_eq!(
            (change.action, change.cause, change.count),
            (Action::Update, Cause::Drift, 1)
        );
        assert!(
            change.reason.contains("behind Stratiform's back"),
            "{}",
            change.reason
        );
        let [field] = change.fields.as_slice() else {
            panic!("{place}: {:?}", change.fields);
        };
        assert_eq!(field.field, Field::Setup);
        let of = |what: &str| serde_json::json!({ "autostart": what });
        assert_eq!((&field.before, &field.after), (&of("off"), &of("on")));
        assert!(change.targets[0].fields.contains(&Field::Setup));
    }
}

/// What never was so is mended in the same way, and nobody is said to have changed it.
#[test]
fn what_was_never_finished_is_no_drift() {
    let intent = everything();
    let mut world = realise(&placed(&intent, &empty()));
    depart(
        &mut world,
        PLACES[0],
        &Departure::new("none", "there").unfinished(),
    );
    let plan = plan_of(&intent, &world);
    let [change] = plan.changes.as_slice() else {
        panic!("{:?}", crate::lines(&plan));
    };
    assert_eq!(
        (change.action, change.cause),
        (Action::Update, Cause::Interrupted)
    );
    assert!(!change.reason.contains("behind"), "{}", change.reason);
    assert_eq!(plan.drift().count(), 0);
}

/// What stays so is told with the reason, and neither changed nor made anew.
#[test]
fn what_cannot_be_mended_is_refused_by_itself() {
    let intent = everything();
    let world = realise(&placed(&intent, &empty()));
    for place in PLACES {
        let mut world = world.clone();
        let stays = Departure::new("vol-1", "none").staying("it may hold somebody's data");
        depart(&mut world, place, &stays);
        let plan = plan_of(&intent, &world);
        assert!(
            plan.changes.is_empty(),
            "{place}: {:?}",
            crate::lines(&plan)
        );
        let [refused] = plan.refused.as_slice() else {
            panic!("{place}: {:?}", plan.refused);
        };
        assert_eq!((refused.cause, &refused.addr), (Cause::Drift, &addr(place)));
        assert!(
            refused.why.contains("it may hold somebody's data"),
            "{}",
            refused.why
        );
        assert_eq!(refused.fields.len(), 1);
    }
}
