//! Networks, subnets, firewalls and public addresses.

mod address;
mod firewall;
mod rules;
mod subnet;
mod vnet;

pub(crate) use rules::group_name;
