//! What the simulated clouds do beyond the provider contract: time, faults, outages, files.

mod calls;
mod common;
mod control;
mod crash;
mod lists;
mod persistence;
mod scale;
mod shortage;
mod time;
