//! Sizes that somebody changed by hand.

use strat_sim::{Disturbance, Profile};
use stratiform::Mode;
use stratiform::model::Spec;
use stratiform::planner::Cause;

use crate::common::{applied, apply, at, disturb, lines, run};

#[test]
fn a_machine_that_was_resized_by_hand_is_drift_and_becomes_what_it_was() {
    for profile in Profile::ALL {
        for addr in ["machine.db@east", "machines.web@east"] {
            for larger in [true, false] {
                run(async {
                    let folder = applied(profile).await;
                    let before = at(&folder, addr);
                    let Spec::Machine(was) = &before.spec else {
                        panic!("a machine");
                    };
                    let machine_type = other_type(profile, larger);
                    let which = before.id.to_string();
                    let resize = Disturbance::ResizeMachine {
                        which,
                        machine_type: machine_type.to_owned(),
                    };
                    disturb(&folder, &resize);
                    let plan = folder.plan(Mode::Apply).await;
                    let said = lines(&plan);
                    let mut changes = plan.changes.iter();
                    let change = changes.find(|change| change.addr.to_string() == addr);
                    let change = change.unwrap_or_else(|| panic!("{profile} {addr}: {said:#?}"));
                    assert_eq!(change.cause, Cause::Drift, "{said:#?}");
                    let mut fields = change.fields.iter();
                    let is_told = fields.any(|change| change.field.to_string() == "machine_type")
                        || change.reason.contains("machine_type");
                    assert!(is_told, "{said:#?}");
                    apply(&folder).await;
                    let Spec::Machine(is) = at(&folder, addr).spec else {
                        panic!("a machine");
                    };
                    assert_eq!(is.machine_type, was.machine_type, "{profile} {addr}");
                    let plan = folder.plan(Mode::Apply).await;
                    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
                });
            }
        }
    }
}

/// A type of the profile that the shop asks for nowhere: a larger, or a smaller one.
fn other_type(profile: Profile, larger: bool) -> &'static str {
    match (profile, larger) {
        (Profile::Aws, true) => "m5.4xlarge",
        (Profile::Aws, false) => "t3.micro",
        (Profile::Azure, true) => "Standard_D16s_v5",
        (Profile::Azure, false) => "Standard_B1s",
        (Profile::Gcp, true) => "n2-standard-16",
        (Profile::Gcp, false) => "e2-small",
        (Profile::Onprem, true) => "flex-16-65536",
        (Profile::Onprem, false) => "flex-1-1024",
    }
}
