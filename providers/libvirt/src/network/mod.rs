//! Networks, subnets, firewalls.
//!
//! - A **network** is a definition that never runs: it carries the mark and the range. It is
//!   called `<name>.network`.
//! - A **subnet** is a libvirt network of its own, with a bridge, a router address, DHCP and name
//!   service, on every host of the site. libvirt can neither add a range to a running network nor
//!   serve DHCP for two ranges of one, and a restart would unplug every machine; so a subnet is
//!   what runs.
//! - A **firewall** is a filter (`nwfilter`) on every host, called `<name>.firewall`, and each
//!   machine has one of its own, `<name>.machine`, that refers to those it carries.

mod define;
mod filter;
mod firewalls;
mod layout;
mod leftover;
mod nets;
mod running;
mod seen;
mod start;
mod stripped;
mod subnets;

pub(crate) use define::{Net, NetBody};
pub(crate) use filter::machine_filter;
pub(crate) use firewalls::FirewallBody;
pub(crate) use seen::differences;
pub(crate) use subnets::{STRANGERS, free_address, subnet_body};
