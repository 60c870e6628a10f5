//! Machines that cannot be had where they were to be.

mod budget;
mod common;
mod stock;
