//! Machines that cannot be had where they were to be, and machines that move.

mod addresses;
mod budget;
mod common;
mod gate;
mod stock;
mod watch;
mod waves;
