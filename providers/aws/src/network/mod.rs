//! Networks, subnets, firewalls, public addresses.

mod address;
mod firewall;
mod rules;
mod subnet;
mod vpc;
