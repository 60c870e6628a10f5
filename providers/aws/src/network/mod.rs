//! Networks, subnets, firewalls, public addresses.

mod address;
mod dependants;
mod egress;
mod firewall;
mod rules;
mod setup;
mod subnet;
mod tables;
mod vpc;
mod way;
