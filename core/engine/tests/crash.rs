//! Killed at any moment, the next apply finishes: no duplicate, no orphan.

mod common;

use std::path::Path;

use common::{Bench, failures, lose_unsynced, shop, summary};
use strat_model::{Bytes, Intent, Size};
use strat_planner::Mode;

/// A bound for the loops: there are never so many moments.
const MOMENTS_MAX: usize = 3000;

async fn killed_at_every_moment(before: Option<&Intent>, intent: &Intent, mode: Mode) -> usize {
    crashed_at_every_moment(before, intent, mode, |_| {}).await
}

/// With `lost`, which does to the folder what the crash did besides.
async fn crashed_at_every_moment(
    before: Option<&Intent>,
    intent: &Intent,
    mode: Mode,
    lost: fn(&Path),
) -> usize {
    for at in 0..MOMENTS_MAX {
        let bench = Bench::realistic();
        if let Some(before) = before {
            let applied = bench.apply(before, Mode::Apply).await;
            assert!(applied.report.is_success(), "{}", failures(&applied.report));
        }
        let Some(moment) = bench.killed(intent, mode, at).await else {
            return at;
        };
        lost(bench.dir.path());
        let again = bench.apply(intent, mode).await;
        let plan = summary(&again.plan).join("\n");
        let context = format!("killed at moment {at}, {moment}; then\n{plan}\n");
        assert!(
            again.report.is_success(),
            "{context}: {}",
            failures(&again.report)
        );
        assert!(bench.journal().pending().is_empty(), "{context}");
        match mode {
            Mode::Apply => bench.assert_converged(intent, &context).await,
            Mode::Destroy => bench.assert_empty(&context).await,
        }
    }
    panic!("it never ends");
}

#[tokio::test(start_paused = true)]
async fn an_apply_to_nothing_on_every_cloud() {
    for sites in [&["dc1"][..], &["east"], &["west"], &["dc1", "east"]] {
        let moments = killed_at_every_moment(None, &shop::knotted(sites), Mode::Apply).await;
        assert!(moments > 20, "{sites:?}: only {moments}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_everything() {
    for sites in [&["dc1"][..], &["east"], &["west"]] {
        let mut before = shop::knotted(sites);
        // A plan leads an address to a new machine only once the old one is gone: two plans.
        before.addresses.clear();
        let mut after = before.clone();
        for machines in &mut after.machines {
            machines.size = Size::AtLeast {
                cpu: 4,
                memory: Bytes::gib(8),
            };
        }
        after.machines[1].count = 6;
        after.firewalls[1].rules.pop_first();
        let moments = killed_at_every_moment(Some(&before), &after, Mode::Apply).await;
        assert!(moments > 20, "{sites:?}: only {moments}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy() {
    for sites in [&["dc1"][..], &["east"], &["west"]] {
        let intent = shop::knotted(sites);
        let moments = killed_at_every_moment(Some(&intent), &intent, Mode::Destroy).await;
        assert!(moments > 20, "{sites:?}: only {moments}");
    }
}

/// What became of a call waits for no `fsync`: a power cut may take those records that came after
/// the last call was announced.
#[tokio::test(start_paused = true)]
async fn a_power_cut_that_takes_what_was_not_synced() {
    for sites in [&["dc1"][..], &["east"], &["west"]] {
        let intent = shop::knotted(sites);
        for (before, mode) in [(None, Mode::Apply), (Some(&intent), Mode::Destroy)] {
            let moments = crashed_at_every_moment(before, &intent, mode, lose_unsynced).await;
            assert!(moments > 20, "{sites:?}: only {moments}");
        }
    }
}
