//! How large, and how many, the things of a site can be.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{Bytes, Capabilities, Direction, DiskSpec, Field, FirewallRule, Spec, UserData};

/// How large, and how many, the things of a site can be: what its cloud refuses whoever asks.
///
/// What an account's owner can have raised is a quota, and stands in the facts of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The prefixes of a network.
    pub network: Prefixes,
    /// The prefixes of a subnet.
    pub subnet: Prefixes,
    /// The most subnets of one network.
    pub subnets: u32,
    /// The smallest disk or volume.
    pub disk_min: Bytes,
    /// The largest disk or volume.
    pub disk_max: Bytes,
    /// The most disks that a machine is made with, the one that it boots from among them.
    pub disks: u32,
    /// The most firewalls of one machine.
    pub firewalls: u32,
    /// The most rules of one firewall in one direction, as the cloud counts them: one for each peer
    /// and range of ports.
    pub rules: u32,
}

/// The shortest and the longest prefix of a range, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefixes {
    /// Of the largest range.
    pub shortest: u8,
    /// Of the smallest range.
    pub longest: u8,
}

impl Prefixes {
    /// From one prefix to another, both included.
    #[must_use]
    pub const fn new(shortest: u8, longest: u8) -> Self {
        Self { shortest, longest }
    }

    /// Whether a range of this prefix is neither too large nor too small.
    #[must_use]
    pub const fn allow(self, prefix: u8) -> bool {
        self.shortest <= prefix && prefix <= self.longest
    }
}

/// No limits.
impl Default for Limits {
    fn default() -> Self {
        Self {
            network: Prefixes::new(0, 32),
            subnet: Prefixes::new(0, 32),
            subnets: u32::MAX,
            disk_min: Bytes(1),
            disk_max: Bytes(u64::MAX),
            disks: u32::MAX,
            firewalls: u32::MAX,
            rules: u32::MAX,
        }
    }
}

/// A limit that a spec is beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// The field that is too large, too small, or has too many.
    pub field: Field,
    /// What it has, and what there may be: `12 disks; a machine there has at most 10`.
    pub message: String,
}

impl Beyond {
    fn new(field: Field, message: String) -> Self {
        Self { field, message }
    }
}

impl Capabilities {
    /// What of a spec is beyond what a site's cloud takes.
    #[must_use]
    pub fn beyond<R>(&self, spec: &Spec<R>) -> Option<Beyond> {
        let limits = &self.limits;
        if let Spec::Network(network) = spec {
            prefix(limits.network, network.cidr, "network")
        } else if let Spec::Subnet(subnet) = spec {
            prefix(limits.subnet, subnet.cidr, "subnet")
        } else if let Spec::Firewall(firewall) = spec {
            limits.rules(&firewall.rules)
        } else if let Spec::Machine(machine) = spec {
            let firewalls = machine.firewalls.len();
            self.machine_beyond(&machine.disks, firewalls, machine.user_data.as_ref())
        } else if let Spec::Volume(volume) = spec {
            let found = limits.disk(volume.size)?;
            Some(Beyond::new(Field::Size, found))
        } else {
            None
        }
    }

    /// What of a machine is beyond what a site's cloud takes, wherever in the site it is.
    #[must_use]
    pub fn machine_beyond(
        &self,
        disks: &[DiskSpec],
        firewalls: usize,
        user_data: Option<&UserData>,
    ) -> Option<Beyond> {
        let limits = &self.limits;
        let many = |field, count: usize, most: u32, what| {
            let message = || format!("{count} {what}; a machine there has at most {most}");
            (count > most as usize).then(|| Beyond::new(field, message()))
        };
        let size = || {
            let found = disks.iter().find_map(|disk| limits.disk(disk.size))?;
            Some(Beyond::new(Field::Disks, found))
        };
        let text = || {
            let (length, most) = (user_data.map_or(0, UserData::least_len), self.user_data_max);
            let message = || format!("{length} bytes of user data; a machine there takes {most}");
            (length > most.0).then(|| Beyond::new(Field::UserData, message()))
        };
        many(Field::Disks, disks.len(), limits.disks, "disks")
            .or_else(|| many(Field::Firewalls, firewalls, limits.firewalls, "firewalls"))
            .or_else(size)
            .or_else(text)
    }
}

impl Limits {
    /// What is beyond the limit where a network has so many subnets already and is to have one more: of
    /// the first that is too many alone, so that it is said once.
    #[must_use]
    pub fn one_subnet_more(&self, has: usize) -> Option<Beyond> {
        let message =
            || format!("its network has {has} subnets there already, and no more are possible");
        (has == self.subnets as usize).then(|| Beyond::new(Field::Network, message()))
    }

    fn disk(&self, size: Bytes) -> Option<String> {
        let (least, most) = (self.disk_min, self.disk_max);
        if size < least {
            return Some(format!("a disk of {size}; the smallest there has {least}"));
        }
        (size > most).then(|| format!("a disk of {size}; the largest there has {most}"))
    }

    fn rules<R>(&self, rules: &BTreeSet<FirewallRule<R>>) -> Option<Beyond> {
        let most = self.rules;
        [Direction::Ingress, Direction::Egress]
            .into_iter()
            .find_map(|direction| {
                let of_it = rules.iter().filter(|rule| rule.direction == direction);
                let count: usize = of_it
                    .map(|rule| rule.peers.len() * rule.ports.len().max(1))
                    .sum();
                let message = || {
                    let word = direction.as_str();
                    format!(
                        "{count} rules for {word}, one for each peer and range of ports; a firewall \
                         there has at most {most}"
                    )
                };
                (count > most as usize).then(|| Beyond::new(Field::Rules, message()))
            })
    }
}

fn prefix(allowed: Prefixes, cidr: Ipv4Net, what: &str) -> Option<Beyond> {
    let Prefixes { shortest, longest } = allowed;
    let message =
        || format!("{cidr}; a {what} there is between /{shortest} and /{longest}, both included");
    (!allowed.allow(cidr.prefix_len())).then(|| Beyond::new(Field::Cidr, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_within_its_bounds_or_told_with_them() {
        let limits = Limits {
            disk_min: Bytes::gib(1),
            disk_max: Bytes::gib(64 << 10),
            ..Limits::default()
        };
        assert_eq!(limits.disk(Bytes::gib(1)), None);
        assert_eq!(limits.disk(Bytes::gib(64 << 10)), None);
        assert_eq!(
            limits.disk(Bytes(10 << 20)).as_deref(),
            Some("a disk of 10MiB; the smallest there has 1GiB")
        );
        assert!(limits.disk(Bytes::gib(70_000)).is_some());
    }

    #[test]
    fn a_range_is_between_two_prefixes_both_included() {
        let check = |cidr: &str| {
            let cidr = cidr.parse().expect("a range");
            prefix(Prefixes::new(16, 28), cidr, "network").is_some()
        };
        assert!(check("10.0.0.0/15") && check("10.0.0.0/29"));
        assert!(!check("10.0.0.0/16") && !check("10.0.0.0/28"));
    }
}
