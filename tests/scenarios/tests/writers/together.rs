//! Folders that apply one topology at once: nothing is made twice.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use strat_scenarios::Folder;
use stratiform::Mode;
use stratiform::model::Resource;
use stratiform::provider::{Clock as _, TokioClock};

use crate::places::{run, two_sites};

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

/// Folders of one topology whose clouds are as slow, and lag as much, as the numbers say.
fn folders(
    count: usize,
    lease_lag_ms: u64,
    hour_apart: bool,
    mut random: fastrand::Rng,
) -> Vec<Folder> {
    let first = Folder::new().living();
    let world = first.world().display().to_string();
    let mut folders = vec![first];
    for _ in 1..count {
        folders.push(folders[0].beside().living());
    }
    let folders = folders.into_iter().enumerate().map(|(number, folder)| {
        let rest = format!(
            "world = \"{world}\"\n  latency_ms = {}\n  create_ms = {}\n  consistency_ms = 3000\n  \
             lease_lag_ms = {lease_lag_ms}",
            random.u64(1..400),
            random.u64(1..4000),
        );
        folder.write(&[two_sites(&rest, &rest, 2)]);
        if !hour_apart {
            return folder;
        }
        let hours = Duration::from_secs(3600 * number as u64);
        let clock = TokioClock::system();
        let wrong = clock.now().checked_add(hours).expect("a time");
        folder.on_clock(Arc::new(TokioClock::starting_at(wrong)))
    });
    folders.collect()
}

/// All apply at once. Then everything is there, and once.
async fn all_at_once(folders: &[Folder], mut random: fastrand::Rng) -> Result<(), TestCaseError> {
    let applies = folders.iter().map(|folder| {
        let later = Duration::from_millis(random.u64(0..1500));
        async move {
            tokio::time::sleep(later).await;
            folder.apply(Mode::Apply).await
        }
    });
    for applied in join_all(applies).await {
        prop_assert!(applied.success, "{:#?}", applied.failures);
    }
    // Two sites, each with a network, a subnet in three zones, and two machines.
    let there = folders[0].everything();
    let there: Vec<String> = there
        .iter()
        .flat_map(|((region, kind), things)| {
            let named = move |thing: &Resource| format!("{region} {kind} {}", thing.name);
            things.iter().map(named)
        })
        .collect();
    prop_assert_eq!(there.len(), 12, "{:#?}", there);
    for folder in folders {
        let plan = folder.plan(Mode::Apply).await;
        prop_assert!(
            plan.is_empty() && plan.withheld.is_empty(),
            "{:#?}",
            plan.changes
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn of_two_or_four_folders_at_once_nothing_is_made_twice(seed: u64, four: bool) {
        let random = fastrand::Rng::with_seed(seed);
        let count = if four { 4 } else { 2 };
        run(async {
            all_at_once(&folders(count, 0, false, random.clone()), random).await
        })?;
    }

    #[test]
    fn nor_with_reads_of_leases_that_lag_for_a_term_and_clocks_an_hour_apart(seed: u64, apart: bool) {
        let random = fastrand::Rng::with_seed(seed);
        run(async {
            all_at_once(&folders(3, 240_000, apart, random.clone()), random).await
        })?;
    }
}
