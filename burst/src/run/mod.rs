//! The controller: it looks, decides, and carries out what was decided, again and again.
//!
//! # What happens in a round
//!
//! 1. The topology is read anew; what changed is told. One that cannot be read leaves the last one.
//! 2. The lead is taken, or kept. Whoever does not have it watches.
//! 3. Signals are measured, and everything is looked at.
//! 4. For each burst, those of the highest priority first, it is decided. A decision that changes
//!    nothing is recorded, and that is all.
//! 5. One that does is made again under the lease of a run, from what is there then; recorded; and
//!    carried out by the plan and the engine of an apply, restricted to the fleet. The run does not
//!    wait for what boots, so that an apply finds the lease free a moment later.
//!
//! # What a kill leaves
//!
//! What is to be is in no file. Machines that boot are there, with our mark; those that drain say so in
//! their marks, since when and for whom. So the next round, of this controller or of another one on
//! another computer, goes on from what it sees. The recorded decisions give it the history: without
//! them it waits as after a first start.

mod act;
mod boots;
mod budget;
mod controller;
mod decide;
mod drain;
mod inputs;
mod machines;
mod once;
mod reload;

pub use controller::{Controller, Load, Options, Round, RunError};
pub use drain::{Drained, Hook, Hooks, NetHooks, Notice};
pub use once::decide_once;

use stratiform::Stop;
use stratiform::engine::StopLevel;
use tokio::sync::Notify;

/// Runs rounds until it is stopped: the run in hand ends first. `now` starts the next round at once.
///
/// What goes wrong in a round is told with it, and the next one tries again.
pub async fn run(
    controller: &mut Controller,
    stop: &Stop,
    now: &Notify,
    mut tell: impl FnMut(&Round),
) {
    while stop.level() == StopLevel::Run {
        let round = controller.round(stop).await;
        tell(&round);
        let clock = std::sync::Arc::clone(controller.clock());
        tokio::select! {
            () = stop.reached(StopLevel::Finish) => {}
            () = now.notified() => {}
            () = clock.sleep(round.next_in) => {}
        }
    }
    controller.end().await;
}
