//! A known thing that is not seen as ours.

use strat_sim::{Disturbance, Profile};
use stratiform::model::Kind;
use stratiform::planner::{Action, Cause};
use stratiform::{Claims, Mode};

use crate::common::{
    applied, applied_just_now, apply, apply_claiming, at, delete, disturb, ids, lines, run, unmark,
};

#[test]
fn a_stripped_mark_withholds_the_thing_and_what_depends_on_it_and_is_given_back() {
    for profile in Profile::ALL {
        run(async {
            let folder = applied(profile).await;
            let before = ids(&folder);
            let things: Vec<_> = folder.everything().into_values().flatten().collect();
            for thing in things {
                let addr = thing.mark.clone().expect("a mark").addr;
                unmark(&folder, &thing);
                let plan = folder.plan(Mode::Apply).await;
                let said = lines(&plan);
                let told = format!("{} is still there, but its mark is gone", thing.id);
                assert!(said.iter().any(|line| line.contains(&told)), "{said:#?}");
                assert!(plan.changes.is_empty(), "{profile} {addr}: {said:#?}");
                folder.apply(Mode::Apply).await;
                assert_eq!(ids(&folder), before, "{profile} {addr}: {said:#?}");
                let claims = Claims {
                    adopt_known: true,
                    only_adopt: true,
                    ..Claims::default()
                };
                let plan = apply_claiming(&folder, claims).await;
                assert_eq!(plan.summary.adopt, 1, "{:#?}", lines(&plan));
                let plan = folder.plan(Mode::Apply).await;
                assert!(
                    lines(&plan).is_empty(),
                    "{profile} {addr}: {:#?}",
                    lines(&plan)
                );
            }
            assert_eq!(ids(&folder), before);
        });
    }
}

#[test]
fn a_destroy_leaves_what_was_stripped_and_what_it_is_in() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let db = at(&folder, "machine.db@east");
        let kept = ["network.core@east", "firewall.db@east", "volume.data@east"];
        let kept = kept.map(|addr| at(&folder, addr).id);
        unmark(&folder, &db);
        folder.apply(Mode::Destroy).await;
        let left = ids(&folder);
        assert!(left.contains(&db.id), "{left:?}");
        assert!(kept.iter().all(|id| left.contains(id)), "{left:?}");
    });
}

#[test]
fn what_lists_do_not_show_is_read_by_its_id() {
    for profile in Profile::ALL {
        run(async {
            let folder = applied(profile).await;
            let before = ids(&folder);
            for thing in folder.everything().into_values().flatten() {
                let what = Disturbance::Forget {
                    kind: thing.kind(),
                    which: thing.id.to_string(),
                    for_ms: 20 * 60_000,
                };
                disturb(&folder, &what);
            }
            let plan = folder.plan(Mode::Apply).await;
            assert!(lines(&plan).is_empty(), "{profile}: {:#?}", lines(&plan));
            apply(&folder).await;
            assert_eq!(ids(&folder), before);
        });
    }
}

#[test]
fn what_is_gone_is_made_anew_and_what_holds_data_only_by_name() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let volume = at(&folder, "volume.data@east");
        delete(&folder, &volume);
        let plan = folder.plan(Mode::Apply).await;
        let said = lines(&plan);
        assert!(plan.changes.is_empty(), "{said:#?}");
        let told = |line: &String| line.contains("deleted behind Stratiform's back");
        assert!(said.iter().any(told), "{said:#?}");
        folder.apply(Mode::Apply).await;
        let volumes = |kind| {
            let all = folder.everything().into_values().flatten();
            all.filter(|thing| thing.kind() == kind).count()
        };
        assert_eq!(volumes(Kind::Volume), 0, "no empty one was made");
        let claims = Claims {
            recreate: vec!["volume.data@east".parse().expect("a target")],
            ..Claims::default()
        };
        let plan = apply_claiming(&folder, claims).await;
        assert_eq!(plan.summary.create, 1, "{:#?}", lines(&plan));
        let plan = folder.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));

        delete(&folder, &at(&folder, "machines.web@east"));
        let plan = folder.plan(Mode::Apply).await;
        let [change] = plan.changes.as_slice() else {
            panic!("{:#?}", lines(&plan));
        };
        assert_eq!(
            (change.action, change.cause),
            (Action::Create, Cause::Drift)
        );
        apply(&folder).await;
        let plan = folder.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    });
}

#[test]
fn what_no_list_shows_is_not_made_twice_from_another_folder() {
    for profile in Profile::ALL {
        for addr in ["machine.db@east", "volume.data@east"] {
            run(async {
                let folder = applied_just_now(profile).await;
                let before = ids(&folder);
                let thing = at(&folder, addr);
                let what = Disturbance::Forget {
                    kind: thing.kind(),
                    which: thing.id.to_string(),
                    for_ms: 20 * 60_000,
                };
                disturb(&folder, &what);
                folder.forget();
                folder.apply(Mode::Apply).await;
                assert_eq!(ids(&folder), before, "{profile} {addr}");
            });
        }
    }
}
