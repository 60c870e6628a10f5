//! Runs that somebody stops.

use proptest::prelude::*;
use strat_scenarios::{Folder, Weather, random};
use stratiform::model::{Kind, Resource, ResourceState};
use stratiform::{Mode, PlanOptions};

use crate::common::{apply, cases, lines, nothing_left, nothing_to_do, run};

/// Which topologies, when their applies are stopped, and whether at once.
#[derive(Debug, Clone, Copy)]
struct Stops {
    shape: u64,
    before: u64,
    after: u64,
    seed: u64,
    at: usize,
    again: usize,
    urgent: bool,
}

fn goes_on(stops: Stops) {
    let Stops {
        shape,
        before,
        after,
        seed,
        at,
        again,
        urgent,
    } = stops;
    run(async {
        let folder = Folder::new();
        let late = Weather::late(seed);
        folder.write(&[random(shape, before).in_weather(&late).text()]);
        folder.stopped(Mode::Apply, at, urgent).await;
        folder.write(&[random(shape, after).in_weather(&late).text()]);
        folder.stopped(Mode::Apply, again, !urgent).await;
        apply(&folder).await;
        nothing_to_do(&folder, 0).await;
        folder.stopped(Mode::Destroy, again, urgent).await;
        nothing_left(&folder, 0).await;
    });
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn stopped_anywhere_the_next_apply_goes_on(
        shape: u64, before: u64, after: u64, seed: u64,
        at in 0_usize..150, again in 0_usize..60, urgent: bool,
    ) {
        goes_on(Stops { shape, before, after, seed, at, again, urgent });
    }
}

/// A machine that is still being made has its volumes attached already, and goes in the next apply.
#[test]
fn what_is_still_being_made_is_shut_down_before_its_volumes_go() {
    goes_on(Stops {
        shape: 56_193_096_629_251_163,
        before: 4_550_760_548_130_217_448,
        after: 5_732_807_942_334_314_722,
        seed: 9_443_000_413_336_402_681,
        at: 137,
        again: 38,
        urgent: false,
    });
}

/// The successor was still being made when its predecessor was planned to go.
#[test]
fn what_a_replacement_left_goes_in_the_apply_that_finds_its_successor_on_the_way() {
    goes_on(Stops {
        shape: 5_877_818_176_600_142_987,
        before: 4_671_817_165_027_583_641,
        after: 8_288_188_371_546_408_599,
        seed: 2_808_747_061_533_728_310,
        at: 117,
        again: 36,
        urgent: true,
    });
}

/// The run was stopped at once after it had asked for machines: what is made of them is waited for by the
/// next, before anything is built on them, and that next run ends once they are ready.
#[test]
fn what_an_earlier_run_began_is_ready_when_the_next_ends() {
    run(async {
        let mut were_pending = 0;
        for at in (20..140).step_by(4) {
            let folder = Folder::new();
            let late = Weather::late(7);
            folder.write(&[random(3, 0).in_weather(&late).text()]);
            folder.stopped(Mode::Apply, at, true).await;
            let all = || folder.everything().into_values().flatten();
            let pending = |thing: &Resource| thing.state == ResourceState::Pending;
            were_pending += all().filter(pending).count();
            apply(&folder).await;
            let left: Vec<_> = all().filter(pending).collect();
            assert!(left.is_empty(), "stopped at {at}: {left:#?}");
        }
        assert!(were_pending > 0, "nothing was ever pending");
    });
}

/// Machines that take 25 minutes: the next run waits for ten of them, changes nothing, says so and is no
/// success; the one after it finds them ready.
#[test]
fn what_is_not_ready_in_time_is_told_and_is_no_success() {
    let ground = r#"
topology "slow" {}
site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 300
}
network "core" {
  cidr  = "10.20.0.0/16"
  sites = [site.east]
}
subnet "app" {
  network = network.core
  newbits = 4
}
"#;
    let machine = r#"
machine "db" {
  cpu    = 2
  memory = "8GiB"
  image  = "debian-12"
  subnet = subnet.app
}
"#;
    let slow = ground.replace("= 300", "= 1500000");
    run(async {
        let mut were_pending = false;
        for at in 1..40 {
            let folder = Folder::new();
            folder.write(&[ground.to_owned()]);
            apply(&folder).await;
            folder.write(&[format!("{slow}{machine}")]);
            folder.stopped(Mode::Apply, at, true).await;
            let pending = |thing: &Resource| {
                thing.kind() == Kind::Machine && thing.state == ResourceState::Pending
            };
            if !folder
                .everything()
                .into_values()
                .flatten()
                .any(|thing| pending(&thing))
            {
                continue;
            }
            were_pending = true;
            for _ in 0..2 {
                let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
                assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
                let unfinished: Vec<_> =
                    outcome.unfinished.iter().map(ToString::to_string).collect();
                assert_eq!(unfinished, ["machine.db@east"], "stopped at {at}");
                assert!(!outcome.is_success());
            }
            apply(&folder).await;
            break;
        }
        assert!(were_pending, "nothing was ever pending");
    });
}

/// A machine that was shut down for its volume to be let go stays off until that is done.
#[test]
fn what_was_shut_down_for_its_volume_starts_after_it_is_let_go() {
    goes_on(Stops {
        shape: 8_017_055_284_209_498_841,
        before: 3_513_441_366_384_593_759,
        after: 15_386_440_096_018_561_178,
        seed: 1_106_955_200_201_944_571,
        at: 135,
        again: 40,
        urgent: false,
    });
}
