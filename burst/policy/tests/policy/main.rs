//! The policy, run in a small world.

mod bench;
mod decision;
mod laws;
mod peers;
mod signals;
