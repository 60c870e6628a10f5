//! Everything the simulated clouds do that the provider contract does not speak of.

mod common;
mod persistence;
