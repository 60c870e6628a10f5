//! The `strat` binary, end to end, over the reference topology in the simulator.

mod burst;
mod consent;
mod crash;
mod doctor;
mod errors;
mod journey;
mod lookups;
mod offers;
mod plans;
mod rehearse;
mod schema;
mod storm;
mod support;
mod telemetry;
mod week;
mod without;
mod writers;
