//! The policy, run in a small world.

mod bench;
mod decision;
mod laws;
mod numbers;
mod peers;
mod peers_machines;
mod signals;
