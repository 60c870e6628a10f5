//! Machines that cannot be had where they were to be, and machines that move.

mod addresses;
mod budget;
mod burstable;
mod common;
mod gate;
mod gpus;
mod outputs;
mod stock;
mod watch;
mod waves;
