//! Why something is made anew, or is left alone, is told as it was.

use std::time::Duration;

use strat_scenarios::Folder;
use strat_sim::{Disturbance, Profile};
use stratiform::model::{Addr, Kind, Resource};
use stratiform::planner::{Action, Plan};
use stratiform::{Claims, Mode};

use crate::common::{
    applied, apply, apply_claiming, at, delete, disturb, ids, lines, region, run, shop,
};

/// Nobody did anything behind our back.
fn blames_nobody(plan: &Plan, what: &str) {
    let said = lines(plan);
    let mut said_so = said.iter();
    assert!(
        said_so.all(|line| !line.contains("behind Stratiform's back")),
        "{what}: {said:#?}"
    );
}

async fn released(folder: &Folder, addr: &str) -> (Addr, Resource) {
    let thing = at(folder, addr);
    let named: Addr = addr.parse().expect("an address");
    let claims = Claims {
        release: vec![named.clone()],
        ..Claims::default()
    };
    apply_claiming(folder, claims).await;
    (named, thing)
}

#[test]
fn what_was_let_go_and_has_another_name_now_gets_no_second_one_in_silence() {
    let addr = "volume.data@east";
    run(async {
        let folder = applied(Profile::Aws).await;
        let (_, thing) = released(&folder, addr).await;
        let what = Disturbance::Rename {
            kind: thing.kind(),
            which: thing.id.to_string(),
            name: "somebody-elses".to_owned(),
        };
        disturb(&folder, &what);
        let before = ids(&folder);
        let plan = folder.apply(Mode::Apply).await.plan;
        let said = lines(&plan);
        let told = format!("{} was let go and is still there", thing.id);
        assert!(said.iter().any(|line| line.contains(&told)), "{said:#?}");
        blames_nobody(&plan, addr);
        assert_eq!(ids(&folder), before, "{addr}: {said:#?}");
        // Who wants another one says so.
        let claims = Claims {
            recreate: vec![addr.parse().expect("a target")],
            ..Claims::default()
        };
        let plan = apply_claiming(&folder, claims).await;
        let creates = |change: &&stratiform::planner::Change| change.action == Action::Create;
        assert_eq!(
            plan.changes.iter().filter(creates).count(),
            1,
            "{:#?}",
            lines(&plan)
        );
        blames_nobody(&plan, addr);
        assert!(ids(&folder).contains(&thing.id));
        let plan = folder.plan(Mode::Apply).await;
        assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
    });
}

#[test]
fn what_was_let_go_and_is_gone_was_deleted_behind_nobodys_back() {
    for addr in [
        "volume.data@east",
        "machines.web@east",
        "bucket.assets@east",
    ] {
        run(async {
            let folder = applied(Profile::Aws).await;
            let (_, thing) = released(&folder, addr).await;
            delete(&folder, &thing);
            tokio::time::sleep(Duration::from_secs(3600)).await;
            let plan = folder.plan(Mode::Apply).await;
            let [change] = plan.changes.as_slice() else {
                panic!("{addr}: {:#?}", lines(&plan));
            };
            assert_eq!(change.action, Action::Create, "{:#?}", lines(&plan));
            blames_nobody(&plan, addr);
            apply(&folder).await;
            let plan = folder.plan(Mode::Apply).await;
            assert!(lines(&plan).is_empty(), "{addr}: {:#?}", lines(&plan));
        });
    }
}

#[test]
fn what_a_run_deleted_before_it_was_killed_it_deleted_itself() {
    for profile in Profile::ALL {
        for at in (0..40).step_by(3) {
            run(async {
                let folder = applied(profile).await;
                folder.killed(Mode::Destroy, at).await;
                tokio::time::sleep(Duration::from_secs(3600)).await;
                // An apply settles what the killed run left open.
                let applied = folder.apply(Mode::Apply).await;
                blames_nobody(&applied.plan, &format!("{profile}, killed at {at}"));
                assert!(applied.success, "{profile} {at}: {:#?}", applied.failures);
                let plan = folder.plan(Mode::Apply).await;
                assert!(
                    lines(&plan).is_empty(),
                    "{profile} {at}: {:#?}",
                    lines(&plan)
                );
            });
        }
    }
}

#[test]
fn a_destroy_that_was_killed_is_finished_by_one_more_while_lists_are_late() {
    for at in (0..40).step_by(3) {
        run(async {
            let folder = Folder::new();
            let late =
                shop(Profile::Aws).replace("consistency_ms = 1000", "consistency_ms = 90000");
            folder.write(&[late]);
            apply(&folder).await;
            tokio::time::sleep(Duration::from_secs(3600)).await;
            folder.killed(Mode::Destroy, at).await;
            let applied = folder.apply(Mode::Destroy).await;
            let said = lines(&applied.plan);
            assert!(applied.success, "{at}: {:#?} {said:#?}", applied.failures);
            assert!(ids(&folder).is_empty(), "{at}: {said:#?}");
        });
    }
}

#[test]
fn what_died_at_launch_is_told_in_its_clouds_words() {
    for addr in ["machine.db@east", "machines.web@east"] {
        run(async {
            let folder = Folder::new();
            let slow = shop(Profile::Aws).replace("create_ms = 0", "create_ms = 20000");
            folder.write(&[slow.replace("delete_ms = 0", "delete_ms = 60000")]);
            let why = "Client.InvalidKMSKey.InvalidState: the key of its disk is disabled";
            let end = async {
                loop {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    let all = folder.everything().into_values().flatten();
                    let mut all = all.filter(|one| one.kind() == Kind::Machine);
                    let of_addr = |one: &Resource| {
                        let mark = one.mark.as_ref().expect("a mark");
                        addr == format!("{}@{}", mark.addr.local, mark.addr.site)
                    };
                    if let Some(machine) = all.find(of_addr) {
                        let what = Disturbance::EndMachine {
                            which: machine.id.to_string(),
                            why: why.to_owned(),
                        };
                        disturb(&folder, &what);
                        return machine.id;
                    }
                }
            };
            let (applied, dead) = tokio::join!(folder.apply(Mode::Apply), end);
            assert!(!applied.success, "{addr}");
            let told = format!("{dead} did not stay: {why}");
            assert!(
                applied.failures.iter().any(|line| line.contains(&told)),
                "{addr}: {:#?}",
                applied.failures
            );
            // Nobody took it away, now or when the cloud shows it no more.
            for wait in [0, 7200] {
                tokio::time::sleep(Duration::from_secs(wait)).await;
                let plan = folder.plan(Mode::Apply).await;
                blames_nobody(&plan, &format!("{addr} after {wait} s"));
            }
            apply(&folder).await;
            let plan = folder.plan(Mode::Apply).await;
            assert!(lines(&plan).is_empty(), "{addr}: {:#?}", lines(&plan));
        });
    }
}

#[test]
fn what_a_read_does_not_show_once_is_not_gone() {
    for profile in Profile::ALL {
        run(async {
            let folder = applied(profile).await;
            let before = ids(&folder);
            for thing in folder.everything().into_values().flatten() {
                let (kind, which) = (thing.kind(), thing.id.to_string());
                // The site's window is a second: within it, a read may be late as well.
                let for_ms = 900;
                let what = Disturbance::Vanish {
                    kind,
                    which,
                    for_ms,
                };
                let _ = folder.control().disturb(&region(&folder), &what);
                let plan = folder.plan(Mode::Apply).await;
                assert!(lines(&plan).is_empty(), "{profile}: {:#?}", lines(&plan));
            }
            assert_eq!(ids(&folder), before);
        });
    }
}
