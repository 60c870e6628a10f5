//! What all these tests do.

use proptest::prelude::ProptestConfig;
use strat_scenarios::{Applied, Folder};
use stratiform::{Mode, Plan};

/// How often an apply is repeated before it counts as one that never comes to its end.
const APPLIES_MAX: usize = 12;

/// Runs a future with a clock that jumps over every wait.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// How many of each there are to try. More with the environment variable `PROPTEST_CASES`.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let default = asked.cases == 256;
    ProptestConfig {
        cases: if default { usual } else { asked.cases },
        failure_persistence: None,
        max_shrink_iters: 8,
        ..asked
    }
}

/// A plan in words.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
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
    let withheld = |held: &stratiform::planner::Withheld| format!("? {}: {}", held.what, held.why);
    let changes = plan.changes.iter().map(line);
    changes.chain(plan.withheld.iter().map(withheld)).collect()
}

/// Applies again and again until all is done.
pub(crate) async fn apply_at_last(folder: &Folder, mode: Mode) -> Applied {
    let mut last = None;
    for _ in 0..APPLIES_MAX {
        let applied = folder.apply(mode).await;
        if applied.success {
            return applied;
        }
        last = Some(applied);
    }
    let last = last.expect("an apply");
    panic!("{:#?}\nof {:#?}", last.failures, lines(&last.plan));
}

/// One apply, which must do all.
pub(crate) async fn apply(folder: &Folder) -> Applied {
    let applied = folder.apply(Mode::Apply).await;
    let plan = lines(&applied.plan);
    assert!(applied.success, "{:#?}\nof {plan:#?}", applied.failures);
    applied
}

/// Everything is there, and once; `others` are not ours.
pub(crate) async fn nothing_to_do(folder: &Folder, others: usize) {
    let plan = folder.plan(Mode::Apply).await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    let there: usize = folder.everything().values().map(Vec::len).sum();
    let wanted = plan.summary.no_op as usize;
    assert_eq!(there, wanted + others, "{:#?}", folder.everything());
}

/// Destroy leaves nothing but what is not ours.
pub(crate) async fn nothing_left(folder: &Folder, others: usize) {
    apply_at_last(folder, Mode::Destroy).await;
    let left = folder.everything();
    let count: usize = left.values().map(Vec::len).sum();
    assert_eq!(count, others, "{left:#?}");
}
