//! Machines that cannot be had where they were to be.

mod common;
mod stock;
