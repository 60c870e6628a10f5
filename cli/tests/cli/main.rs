//! The `strat` binary, end to end, over the reference topology in the simulator.

mod crash;
mod errors;
mod journey;
mod plans;
mod schema;
mod storm;
mod support;
