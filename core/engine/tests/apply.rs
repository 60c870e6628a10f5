//! Applies to the simulated world, from end to end.

mod common;

use common::{Bench, failures, shop};
use strat_planner::Mode;

#[tokio::test(start_paused = true)]
async fn apply_then_plan_is_empty_and_destroy_leaves_nothing() {
    for sites in [&["dc1"][..], &["east"], &["west"], &["dc1", "east", "west"]] {
        let bench = Bench::realistic();
        let intent = shop::shop(sites);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(
            applied.report.is_success(),
            "{sites:?} {}",
            failures(&applied.report)
        );
        bench.assert_converged(&intent, &format!("{sites:?}")).await;
        let destroyed = bench.apply(&intent, Mode::Destroy).await;
        assert!(
            destroyed.report.is_success(),
            "{sites:?} {}",
            failures(&destroyed.report)
        );
        bench.assert_empty(&format!("{sites:?}")).await;
    }
}
