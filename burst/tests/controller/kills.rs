//! A controller that dies at any moment before or after a call that changes something.

use stratiform::Stop;

use crate::bench::{Bench, SHOP};

/// How many moments lie between two at which it is killed. With every one of them the test takes minutes;
/// a prime number does not fall on the same call of each round.
const STEP: usize = 7;

/// Killed at a moment on the way up, and on the way down, another one goes on: nothing is made twice, and
/// nothing is left.
#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_another_goes_on() {
    for at in (0..).step_by(STEP) {
        let mut bench = Bench::new(SHOP).await;
        bench.load.set(Some(600.0));
        let mut died = killed(&bench, at).await;
        let mut controller = bench.controller();
        bench.minutes(&mut controller, 7).await;
        assert_eq!(bench.count(), (4, 2), "killed at {at} on the way up");
        // Half of them may go within an hour.
        bench.load.set(Some(250.0));
        bench.minutes(&mut controller, 5).await;
        drop(controller);
        died |= killed(&bench, at).await;
        let mut controller = bench.controller();
        bench.minutes(&mut controller, 12).await;
        assert_eq!(bench.count(), (3, 0), "killed at {at} on the way down");
        if !died {
            assert!(at > 10, "a run has more moments than {at}");
            return;
        }
    }
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
