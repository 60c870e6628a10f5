//! The `strat` binary, end to end, over the reference topology in the simulator.

mod burst;
mod consent;
mod contract;
mod crash;
mod doctor;
#[cfg(unix)]
mod editor;
mod errors;
mod graph;
mod journey;
mod lookups;
mod offers;
#[cfg(all(unix, feature = "burst"))]
mod packaging;
#[cfg(unix)]
mod pages;
#[cfg(all(unix, feature = "burst"))]
mod past;
#[cfg(all(unix, feature = "burst"))]
#[expect(dead_code, reason = "the controller's own tests use more of it")]
#[path = "../../../burst/tests/peers/mod.rs"]
mod peers;
mod plans;
#[cfg(feature = "policy")]
mod policy;
mod reach;
mod rehearse;
mod schema;
mod storm;
#[path = "../../../tests/schemas/tests/schemas/strict.rs"]
mod strict;
mod support;
mod telemetry;
mod tests;
mod waits;
mod ways;
mod week;
mod without;
mod writers;
