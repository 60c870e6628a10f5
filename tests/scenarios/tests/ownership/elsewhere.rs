//! Other accounts, other topologies of the name, other sites than before.

use strat_sim::{Disturbance, Profile};
use stratiform::{ApplyOptions, Error, Mode, PlanOptions, RunOptions};

use crate::common::{OURS, applied, apply, disturb, ids, lines, run, shop, site};

async fn refused(folder: &strat_scenarios::Folder, mode: Mode) -> Error {
    let session = folder.session().await;
    let run = match session.begin(&RunOptions::new("test")).await {
        Ok(run) => run,
        Err(error) => return error,
    };
    let options = PlanOptions {
        mode,
        ..PlanOptions::default()
    };
    let planned = run.plan(&options).await.expect("a plan");
    let options = ApplyOptions {
        allow_deletes: true,
        ..ApplyOptions::default()
    };
    let error = run.apply(&planned, &options).await.expect_err("refused");
    run.end().await.expect("ends");
    error
}

#[test]
fn credentials_of_another_account_are_refused_before_anything_is_looked_at() {
    for forgotten in [false, true] {
        run(async {
            let folder = applied(Profile::Aws).await;
            let before = ids(&folder);
            if forgotten {
                // The topology itself pins the account.
                folder.forget();
            }
            let account = Some("other".to_owned());
            disturb(&folder, &Disturbance::SwitchAccount { account });
            let plan = folder.session().await.plan(&PlanOptions::default()).await;
            let error = plan.expect_err("refused");
            assert!(matches!(error, Error::Account { .. }), "{error}");
            for mode in [Mode::Apply, Mode::Destroy] {
                let error = refused(&folder, mode).await;
                assert!(matches!(error, Error::Account { .. }), "{error}");
            }
            assert_eq!(ids(&folder), before);
        });
    }
}

#[test]
fn an_account_that_nobody_pinned_is_known_by_the_journal() {
    run(async {
        let folder = strat_scenarios::Folder::new();
        folder.write(&[shop(Profile::Aws).replace("  account = \"main\"\n", "")]);
        apply(&folder).await;
        let account = Some("other".to_owned());
        disturb(&folder, &Disturbance::SwitchAccount { account });
        let error = refused(&folder, Mode::Apply).await;
        assert!(
            matches!(
                error,
                Error::Account {
                    is_pinned: false,
                    ..
                }
            ),
            "{error}"
        );
    });
}

#[test]
fn another_topology_of_the_name_is_a_stranger() {
    run(async {
        let first = applied(Profile::Aws).await;
        let before = first.everything();
        let second = first.beside();
        let world = format!("  world = \"{}\"", first.world().display());
        let other = shop(Profile::Aws)
            .replace(OURS, "lineage = \"bbbbbbbbbbbbbbbb\"")
            .replace(
                "  account = \"main\"\n",
                &format!("  account = \"main\"\n{world}\n"),
            );
        second.write(&[other]);
        let plan = second.plan(Mode::Apply).await;
        let said = lines(&plan);
        assert!(
            said.iter()
                .any(|line| line.contains("another topology of this name")),
            "{said:#?}"
        );
        let applied = second.apply(Mode::Apply).await;
        assert!(applied.success, "{:#?}", applied.failures);
        let gone = second.apply(Mode::Destroy).await;
        assert!(
            gone.success,
            "{:#?}\n{:#?}",
            gone.failures,
            lines(&gone.plan)
        );
        assert_eq!(first.everything(), before);
        // What lists say has settled.
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        let plan = first.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    });
}

#[test]
fn things_at_a_site_that_is_not_listed_any_more_are_told_and_destroy_is_refused() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let before = ids(&folder);
        let moved = shop(Profile::Aws)
            .replace("site.east", "site.west")
            .replace(
                &site("east", Profile::Aws, ""),
                &site("west", Profile::Gcp, ""),
            );
        folder.write(&[moved]);
        let plan = folder.plan(Mode::Destroy).await;
        let said = lines(&plan);
        assert!(
            said.iter()
                .any(|line| line.contains("leave them where they are, for good")),
            "{said:#?}"
        );
        let error = refused(&folder, Mode::Destroy).await;
        assert!(matches!(error, Error::Unlisted { .. }), "{error}");
        let session = folder.session().await;
        let run = session
            .begin(&RunOptions::new("test"))
            .await
            .expect("begins");
        let east = "east".parse().expect("a site");
        let forgotten = run.forget_site(&east).await.expect("forgotten");
        assert_eq!(forgotten, before.len());
        run.end().await.expect("ends");
        assert!(folder.apply(Mode::Destroy).await.success);
        assert_eq!(ids(&folder), before);
    });
}

#[test]
fn a_renamed_topology_does_not_find_nothing_to_destroy() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let before = ids(&folder);
        folder.write(&[shop(Profile::Aws).replace("topology \"shop\"", "topology \"store\"")]);
        let error = refused(&folder, Mode::Destroy).await;
        assert!(matches!(error, Error::Renamed { .. }), "{error}");
        assert_eq!(ids(&folder), before);
    });
}
