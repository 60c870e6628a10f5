//! The policy, run in a small world.

mod bench;
mod carried;
mod decision;
mod laws;
mod numbers;
mod peers;
mod peers_machines;
mod signals;
mod survive;
