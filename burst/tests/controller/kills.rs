//! A controller that dies at any moment before or after a call that changes something.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use stratiform::Stop;

use crate::bench::{Bench, SHOP};

/// How many moments lie between two at which it is killed. With every one of them the test takes minutes;
/// a prime number does not fall on the same call of each round.
const STEP: usize = 3;
/// How many moments are tried at once, each in a world of its own.
const THREADS: usize = 2;

/// The shop with machines that boot and go within a round, so that few rounds are needed.
fn quick() -> String {
    let boots = SHOP.replace("create_ms = 30000", "create_ms = 1000");
    let boots = boots.replace("create_ms = 90000", "create_ms = 2000");
    let quick = boots.replace("after   = \"5m\"", "after   = \"1m\"");
    let quick = quick.replace("min_age = \"5m\"", "min_age = \"0s\"");
    assert_eq!(quick.matches("create_ms = 30000").count(), 0);
    quick
}

/// Killed at a moment on the way up, and on the way down, another one goes on: nothing is made twice, and
/// nothing is left.
#[test]
fn killed_at_any_moment_another_goes_on() {
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let at = next.fetch_add(1, Ordering::SeqCst) * STEP;
                    let mut paused = tokio::runtime::Builder::new_current_thread();
                    let paused = paused.enable_all().start_paused(true).build();
                    let died = paused.expect("a runtime").block_on(killed_at(at));
                    if !died {
                        assert!(at > 10, "a run has more moments than {at}");
                        over.store(true, Ordering::SeqCst);
                    }
                }
            });
        }
    });
}

/// Whether anything died at this moment.
async fn killed_at(at: usize) -> bool {
    let mut bench = Bench::new(&quick()).await;
    bench.load.set(Some(600.0));
    let mut died = killed(&bench, at).await;
    let mut controller = bench.controller();
    settles(&mut bench, &mut controller, (4, 2), "up", at).await;
    // Half of them may go within an hour.
    bench.load.set(Some(250.0));
    drop(controller);
    died |= killed(&bench, at).await;
    let mut controller = bench.controller();
    settles(&mut bench, &mut controller, (3, 0), "down", at).await;
    died
}

/// Runs rounds until the fleet is so large, and two more, in which nothing happens any more.
async fn settles(
    bench: &mut Bench,
    controller: &mut strat_burst::run::Controller,
    count: (usize, usize),
    way: &str,
    at: usize,
) {
    let mut rounds = 0;
    while bench.count() != count || !bench.machines().iter().all(|one| one.ready && !one.drains) {
        bench.minutes(controller, 1).await;
        rounds += 1;
        let there = bench.machines();
        // What may have been done before a kill counts as done, and no more than half go within an hour.
        assert!(rounds < 90, "killed at {at} on the way {way}: {there:#?}");
    }
    for round in bench.minutes(controller, 2).await {
        let steps = &round.decided[0].0.decision.steps;
        assert!(
            steps.is_empty(),
            "killed at {at} on the way {way}: {steps:?}"
        );
    }
    assert_eq!(bench.count(), count, "killed at {at} on the way {way}");
}

/// Whether a controller died, in one of its next rounds.
async fn killed(bench: &Bench, at: usize) -> bool {
    let mut controller = bench.controller();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    bench.die_at(at, &tell);
    let rounds = async {
        for _ in 0..4 {
            let round = controller.round(&Stop::new()).await;
            bench.wait(round.next_in).await;
        }
    };
    let died = tokio::select! {
        () = rounds => false,
        _ = told.recv() => true,
    };
    bench.live_on();
    // Nobody waits for its leases, and lists lag.
    bench.wait(std::time::Duration::from_secs(120)).await;
    died
}
