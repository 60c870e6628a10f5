//! Networks, subnets, firewalls, public addresses.

mod address;
mod firewall;
mod rules;
mod subnet;
mod vpc;

pub(crate) use address::{self_of, witness_of};
