//! What things are made with on hosts beyond the fields of their kinds, in one table. Where somebody changed it,
//! that is told as [`strat_model::Departure`] under the word that stands here; the host follows of what each
//! host has for itself.

use strat_model::Kind;

use crate::host::Host;

/// The filter on a machine's interface: `nwfilter`.
pub(crate) const FILTER: &str = "filter";
/// Whether a machine starts with its host.
pub(crate) const AUTOSTART: &str = "autostart";
/// Whether a machine that is switched on goes on.
pub(crate) const EXECUTION: &str = "execution";
/// Whether a network or subnet is there, and runs.
const ON: &str = "on";
/// A firewall's rules as libvirt has them.
const FILTER_ON: &str = "filter on";

/// What is seen to beyond the fields of each kind.
pub const SETUP: &[(Kind, &str)] = &[
    (Kind::Network, ON),
    (Kind::Subnet, ON),
    (Kind::Firewall, FILTER_ON),
    (Kind::Machine, FILTER),
    (Kind::Machine, AUTOSTART),
    (Kind::Machine, EXECUTION),
];

/// What is told of a network or subnet on a host.
pub(crate) fn on(host: &Host) -> String {
    format!("{ON} {}", host.name())
}

/// What is told of a firewall's rules on a host.
pub(crate) fn filter_on(host: &Host) -> String {
    format!("{FILTER_ON} {}", host.name())
}
