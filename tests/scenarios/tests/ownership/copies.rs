//! What carries the mark of a thing and is not it.

use strat_sim::{Disturbance, Profile};
use stratiform::model::Resource;
use stratiform::{Claims, Mode};

use crate::common::{applied, apply_claiming, at, delete, disturb, ids, lines, run};

fn clone(folder: &strat_scenarios::Folder, thing: &Resource) -> Resource {
    let what = Disturbance::Clone {
        kind: thing.kind(),
        which: thing.id.to_string(),
    };
    disturb(folder, &what).into_iter().next().expect("a copy")
}

#[test]
fn a_copy_is_told_and_never_taken_for_the_thing() {
    for profile in Profile::ALL {
        for addr in ["machine.db@east", "volume.data@east", "machines.web@east"] {
            for forgotten in [false, true] {
                run(async {
                    let folder = applied(profile).await;
                    let before = ids(&folder);
                    let copy = clone(&folder, &at(&folder, addr));
                    if forgotten {
                        folder.forget();
                    }
                    let plan = folder.plan(Mode::Apply).await;
                    let said = lines(&plan);
                    assert!(plan.changes.is_empty(), "{profile} {addr}: {said:#?}");
                    let told = format!("{} at east", copy.id);
                    assert!(said.iter().any(|line| line.contains(&told)), "{said:#?}");
                    folder.apply(Mode::Apply).await;
                    let mut with_copy = before.clone();
                    with_copy.insert(copy.id.clone());
                    assert_eq!(ids(&folder), with_copy, "{profile} {addr}");
                    folder.apply(Mode::Destroy).await;
                    let left = ids(&folder);
                    assert!(left.contains(&copy.id), "{profile} {addr}");
                    // Networks stay that the copy is in, and the rest goes.
                    assert!(left.len() < before.len(), "{profile} {addr}: {left:?}");
                });
            }
        }
    }
}

#[test]
fn a_forged_mark_changes_nothing_and_takes_nothing() {
    for profile in Profile::ALL {
        run(async {
            let folder = applied(profile).await;
            let db = at(&folder, "machine.db@east");
            let spec = folder.control();
            let spec = spec.plausible(&crate::common::region(&folder), db.kind());
            let create = Disturbance::Create {
                name: "somebodys".to_owned(),
                spec: Box::new(spec.expect("a spec")),
                mark: None,
            };
            let theirs = disturb(&folder, &create).remove(0);
            let forge = Disturbance::Forge {
                kind: db.kind(),
                which: db.id.to_string(),
                to: theirs.id.to_string(),
            };
            disturb(&folder, &forge);
            let before = ids(&folder);
            folder.apply(Mode::Apply).await;
            assert_eq!(ids(&folder), before, "{profile}");
            folder.apply(Mode::Destroy).await;
            assert!(ids(&folder).contains(&theirs.id), "{profile}");
            assert!(!ids(&folder).contains(&db.id), "{profile}");
        });
    }
}

#[test]
fn of_a_thing_of_which_only_a_copy_is_left_nothing_is_made_until_somebody_says_so() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let volume = at(&folder, "volume.data@east");
        let copy = clone(&folder, &volume);
        delete(&folder, &volume);
        let before = ids(&folder);
        folder.apply(Mode::Apply).await;
        assert_eq!(ids(&folder), before);
        let claims = Claims {
            adopt: vec![(
                "volume.data@east".parse().expect("an address"),
                Some(copy.id),
            )],
            only_adopt: true,
            ..Claims::default()
        };
        let plan = apply_claiming(&folder, claims).await;
        assert_eq!(plan.summary.adopt, 1, "{:#?}", lines(&plan));
        folder.apply(Mode::Apply).await;
        let plan = folder.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
        assert_eq!(ids(&folder), before, "the restored one is the one");
        // From another computer, the mark itself says that it was adopted.
        folder.forget();
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        let plan = folder.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    });
}
