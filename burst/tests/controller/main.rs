//! The controller over simulated sites, on a clock that the tests move.

mod bench;
mod kills;
mod life;
mod page;
