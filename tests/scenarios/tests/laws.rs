//! The laws, over random topologies.

use proptest::prelude::*;
use strat_scenarios::{Folder, random};
use stratiform::{Mode, Plan};

/// Runs a future with a clock that jumps over every wait.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// How many of each there are to try. More with the environment variable `PROPTEST_CASES`.
fn cases(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let default = asked.cases == 256;
    ProptestConfig {
        cases: if default { usual } else { asked.cases },
        failure_persistence: None,
        ..asked
    }
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &stratiform::planner::Change| {
        format!(
            "{} {} x{}: {} {:?}",
            change.action.as_str(),
            change.addr,
            change.count,
            change.reason,
            change.fields
        )
    };
    plan.changes.iter().map(line).collect()
}

async fn apply(folder: &Folder) {
    let applied = folder.apply(Mode::Apply).await;
    assert!(
        applied.success,
        "{:#?}\nof {:#?}",
        applied.failures,
        lines(&applied.plan)
    );
}

async fn nothing_to_do(folder: &Folder) {
    let plan = folder.plan(Mode::Apply).await;
    assert!(plan.is_empty(), "{:#?}", lines(&plan));
    let there: usize = folder.everything().values().map(Vec::len).sum();
    assert_eq!(
        there, plan.summary.no_op as usize,
        "what is there is what is wanted, and once"
    );
}

async fn nothing_left(folder: &Folder) {
    let destroyed = folder.apply(Mode::Destroy).await;
    assert!(destroyed.success, "{:#?}", destroyed.failures);
    let left = folder.everything();
    assert!(left.is_empty(), "{left:#?}");
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn apply_then_plan_is_empty_through_an_edit_and_destroy_leaves_nothing(
        shape: u64, before: u64, after: u64,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, before).text()]);
            apply(&folder).await;
            nothing_to_do(&folder).await;
            folder.write(&[random(shape, after).text()]);
            apply(&folder).await;
            nothing_to_do(&folder).await;
            nothing_left(&folder).await;
        });
    }

    #[test]
    fn one_topology_becomes_quite_another(first: u64, second: u64) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(first, 0).text()]);
            apply(&folder).await;
            // All sites of the first must stay known, or what is there is not looked at.
            let (mut blocks, sites) = (random(second, 0).blocks, random(first, 0).blocks);
            for site in sites.into_iter().filter(|block| block.starts_with("site")) {
                if !blocks.contains(&site) {
                    blocks.push(site);
                }
            }
            folder.write(&[blocks.join("\n")]);
            apply(&folder).await;
            nothing_to_do(&folder).await;
            nothing_left(&folder).await;
        });
    }

    #[test]
    fn the_order_of_blocks_and_files_never_matters(shape: u64, order: u64) {
        run(async {
            let folder = Folder::new();
            let topology = random(shape, 0);
            folder.write(&[topology.text()]);
            let plan = folder.plan(Mode::Apply).await;
            folder.write(&topology.shuffled(order));
            let other = folder.plan(Mode::Apply).await;
            prop_assert_eq!(lines(&plan), lines(&other));
            prop_assert_eq!(bytes(&plan), bytes(&other), "but for when it was observed");
            Ok(())
        })?;
    }

    #[test]
    fn what_has_no_room_is_refused_by_validate_and_plan_alike_and_what_is_planned_can_be_done(
        shape: u64, before: u64, after: u64, cpus in 1_u32..60,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, before).with_cpus(cpus).text()]);
            let stands = folder.validate().await.is_ok();
            prop_assert_eq!(stands, folder.try_plan().await.is_ok());
            if !stands {
                return Ok(());
            }
            apply(&folder).await;
            let there = folder.everything();
            folder.write(&[random(shape, after).with_cpus(cpus).text()]);
            let valid = folder.validate().await;
            match folder.try_plan().await {
                Ok(plan) => {
                    prop_assert!(valid.is_ok(), "{:#?}\nof {:#?}", valid, lines(&plan));
                    apply(&folder).await;
                    nothing_to_do(&folder).await;
                }
                Err(_) => prop_assert_eq!(there, folder.everything(), "nothing goes for it"),
            }
            nothing_left(&folder).await;
            Ok(())
        })?;
    }

    #[test]
    fn killed_anywhere_the_next_apply_converges_without_a_duplicate(
        shape: u64, before: u64, after: u64, at in 0_usize..120, again in 0_usize..40,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, before).text()]);
            folder.killed(Mode::Apply, at).await;
            folder.killed(Mode::Apply, again).await;
            folder.write(&[random(shape, after).text()]);
            apply(&folder).await;
            nothing_to_do(&folder).await;
            folder.killed(Mode::Destroy, at).await;
            nothing_left(&folder).await;
        });
    }
}

/// A plan's bytes without its id, which is different for every moment of observation.
fn bytes(plan: &Plan) -> String {
    let mut plan = plan.clone();
    plan.id.clear();
    if let Some(source) = &mut plan.source {
        source.path.clear();
    }
    serde_json::to_string(&plan).expect("JSON")
}

#[test]
fn the_plan_is_deterministic_to_the_byte() {
    use stratiform::planner::{DiffOptions, diff, place};
    run(async {
        for shape in 0..12 {
            let folder = Folder::new();
            folder.write(&[random(shape, 0).text()]);
            let session = folder.session().await;
            let seen = session.observe().await.expect("observes");
            let plan = || {
                let desired = place(session.workspace().intent(), &seen.facts, &seen.inventory)
                    .expect("placed");
                let plan = diff(
                    &desired,
                    &seen.inventory,
                    &seen.facts,
                    None,
                    &DiffOptions::default(),
                );
                serde_json::to_vec(&plan).expect("JSON")
            };
            assert_eq!(plan(), plan());
        }
    });
}
