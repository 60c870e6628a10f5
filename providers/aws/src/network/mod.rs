//! Networks, subnets, firewalls, public addresses.

mod address;
mod dependants;
mod firewall;
mod rules;
mod setup;
mod subnet;
mod vpc;
mod way;
