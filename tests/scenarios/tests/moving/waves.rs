//! Fleets that move, or are made anew, a wave at a time.

use proptest::prelude::*;
use strat_scenarios::Folder;
use stratiform::{ApplyOutcome, Mode, Plan, PlanOptions};

use crate::common::{counts, ids, leave, lines, nothing_to_do, run, shop};
use crate::watch::Watch;

/// A fleet at some sites, with waves of a size.
fn fleet(count: u32, sites: &str, wave: &str, label: &str) -> String {
    let rest = format!(
        "  user_data = \"#!/bin/sh\\necho {label}\\n\"\n  placement {{ sites = [{sites}] }}\n  \
         rollout {{ wave = \"{wave}\" }}"
    );
    shop(count, &rest)
}

const EAST: &str = "site.east";
const WEST: &str = "site.west";
const BOTH: &str = "site.west, site.east";

async fn at(count: u32, sites: &str, wave: &str, label: &str) -> Folder {
    let folder = Folder::new();
    folder.write(&[fleet(count, sites, wave, label)]);
    assert!(folder.apply(Mode::Apply).await.success);
    folder
}

async fn apply(folder: &Folder) -> (Plan, ApplyOutcome) {
    let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
    assert!(outcome.is_success(), "{:#?}\n{outcome:#?}", lines(&plan));
    (plan, outcome)
}

#[test]
fn a_fleet_moves_by_waves_and_as_many_run_all_the_while() {
    run(async {
        for (wave, most) in [("25%", 12), ("3", 13), ("100%", 20), ("1%", 11)] {
            let folder = at(10, EAST, wave, "a").await;
            folder.write(&[fleet(10, WEST, wave, "a")]);
            let watch = Watch::start(&folder);
            let (plan, _) = apply(&folder).await;
            assert_eq!(watch.extremes(), (10, most), "{wave}");
            assert_eq!(counts(&folder), [0, 10]);
            let rollout = plan.rollouts.values().next().expect("one");
            assert_eq!(rollout.wave as usize, most - 10);
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn a_new_spec_reaches_a_fleet_by_waves() {
    run(async {
        let folder = at(8, EAST, "2", "a").await;
        let before = ids(&folder, "east");
        folder.write(&[fleet(8, EAST, "2", "b")]);
        let watch = Watch::start(&folder);
        apply(&folder).await;
        assert_eq!(watch.extremes(), (8, 10));
        let now = ids(&folder, "east");
        assert!(now.iter().all(|id| !before.contains(id)));
        assert_eq!(now.len(), 8);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn a_fleet_that_grows_or_shrinks_as_it_moves_never_has_fewer_than_it_should() {
    run(async {
        for (before, after, extremes) in [(4, 9, (4, 11)), (9, 4, (4, 9)), (6, 6, (6, 8))] {
            let folder = at(before, EAST, "2", "a").await;
            folder.write(&[fleet(after, WEST, "2", "b")]);
            let watch = Watch::start(&folder);
            apply(&folder).await;
            assert_eq!(watch.extremes(), extremes, "{before} to {after}");
            assert_eq!(counts(&folder), [0, after as usize]);
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn a_move_that_is_turned_back_half_way_keeps_what_still_runs_at_home() {
    run(async {
        let folder = at(8, EAST, "2", "a").await;
        let home = ids(&folder, "east");
        folder.write(&[fleet(8, WEST, "2", "a")]);
        // Each run is stopped a little later than the one before, until the first have gone.
        for at in (12..60).step_by(2) {
            if counts(&folder)[0] < 8 {
                break;
            }
            let (_, stopped) = folder.stopped_outcome(at).await;
            assert!(stopped.is_interrupted());
        }
        let [left, gone] = counts(&folder);
        assert!(
            left > 0 && left < 8 && gone > 0,
            "{left} and {gone}: half-way"
        );
        let still: Vec<_> = ids(&folder, "east");
        folder.write(&[fleet(8, EAST, "2", "a")]);
        let watch = Watch::start(&folder);
        apply(&folder).await;
        let (fewest, most) = watch.extremes();
        assert!(fewest >= 8 && most <= 10, "{fewest} to {most}");
        assert_eq!(counts(&folder), [8, 0]);
        let now = ids(&folder, "east");
        assert!(still.iter().all(|id| now.contains(id) && home.contains(id)));
        nothing_to_do(&folder).await;
    });
}

#[test]
fn a_move_that_finds_no_stock_half_way_goes_where_it_may_and_deletes_nothing_early() {
    run(async {
        let folder = at(8, EAST, "2", "a").await;
        folder.write(&[fleet(8, WEST, "2", "a")]);
        leave(&folder, "west", (None, None), Some(1));
        let watch = Watch::start(&folder);
        // Three zones with one each of many types: it takes several rounds.
        let (_, outcome) = folder.outcome(&PlanOptions::default()).await;
        let (fewest, most) = watch.extremes();
        assert!(fewest >= 8 && most <= 10, "{fewest} to {most}");
        assert!(!outcome.relocations.is_empty());
        drop(watch);
        leave(&folder, "west", (None, None), None);
        let watch = Watch::start(&folder);
        apply(&folder).await;
        let (fewest, most) = watch.extremes();
        assert!(fewest >= 8 && most <= 10, "{fewest} to {most}");
        assert_eq!(counts(&folder), [0, 8]);
        nothing_to_do(&folder).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn stopped_or_killed_anywhere_a_move_goes_on_without_one_too_few_or_too_many(
        before in 1_u32..9, after in 1_u32..9, wave in 1_u32..5, sites in 0_usize..3,
        moments in prop::collection::vec((0_usize..60, any::<bool>()), 1..4), back: bool,
    ) {
        run(async {
            let wave_text = wave.to_string();
            let folder = at(before, EAST, &wave_text, "a").await;
            let to = [WEST, BOTH, EAST][sites];
            folder.write(&[fleet(after, to, &wave_text, "b")]);
            let watch = Watch::start(&folder);
            let mut allowed = before.max(after) + wave;
            for (at, kill) in moments {
                if kill {
                    folder.killed(Mode::Apply, at).await;
                } else {
                    folder.stopped_outcome(at).await;
                }
            }
            if back {
                folder.write(&[fleet(before, EAST, &wave_text, "a")]);
                // What was on its way when it was turned back comes on top, once.
                allowed = before.max(after) + wave;
            }
            let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
            prop_assert!(outcome.is_success(), "{:#?}\n{:#?}", lines(&plan), outcome);
            let (fewest, most) = watch.extremes();
            let least = before.min(after) as usize;
            prop_assert!(fewest >= least, "{} of {} ran", fewest, least);
            prop_assert!(most <= allowed as usize, "{} of {} were there", most, allowed);
            let there = counts(&folder).iter().sum::<usize>();
            prop_assert_eq!(there, if back { before } else { after } as usize);
            let plan = folder.plan(Mode::Apply).await;
            prop_assert!(plan.is_empty(), "{:#?}", lines(&plan));
            Ok(())
        })?;
    }
}
