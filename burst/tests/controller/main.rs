//! The controller over simulated sites, on a clock that the tests move.

mod bench;
mod chaos;
mod kills;
mod life;
mod machines;
mod page;
mod tls;
