//! How large, and how many, the things of a site can be.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Capabilities, Direction, DiskClass, DiskSpec, Field, FirewallRule, Spec, UserData,
};

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
    /// Where those of a class have other bounds than that.
    #[serde(default)]
    pub classes: ClassSizes,
    /// The most disks that a machine is made with, the one that it boots from among them.
    pub disks: u32,
    /// The most firewalls of one machine.
    pub firewalls: u32,
    /// The most rules of one firewall in one direction, as the cloud counts them: one for each peer
    /// and range of ports.
    pub rules: u32,
}

/// The bounds of disks and volumes of a class, where they are narrower than a site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassSizes {
    /// The largest of spinning disks.
    pub hdd_max: Bytes,
    /// The largest spinning disk that a machine boots from.
    pub hdd_boot_max: Bytes,
    /// The smallest of the fastest.
    pub nvme_min: Bytes,
}

/// As a site's.
impl Default for ClassSizes {
    fn default() -> Self {
        Self {
            hdd_max: Bytes(u64::MAX),
            hdd_boot_max: Bytes(u64::MAX),
            nvme_min: Bytes(0),
        }
    }
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
            classes: ClassSizes::default(),
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
            let found = limits.disk(volume.size, volume.class, false)?;
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
            let mut disks = disks.iter().enumerate();
            let found = disks.find_map(|(n, disk)| limits.disk(disk.size, disk.class, n == 0))?;
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

    /// What is wrong with the size of a disk. `boots` says whether a machine boots from it.
    fn disk(&self, size: Bytes, class: DiskClass, boots: bool) -> Option<String> {
        let (least, most) = (self.disk_min, self.disk_max);
        if size < least {
            return Some(format!("a disk of {size}; the smallest there has {least}"));
        }
        if size > most {
            return Some(format!("a disk of {size}; the largest there has {most}"));
        }
        let (least, most, what) = match class {
            DiskClass::Hdd if boots => (least, self.classes.hdd_boot_max, " to boot from"),
            DiskClass::Hdd => (least, self.classes.hdd_max, ""),
            DiskClass::Ssd => return None,
            DiskClass::Nvme => (self.classes.nvme_min, most, ""),
        };
        let class = class.as_str();
        if size < least {
            let message =
                format!("an `{class}` disk{what} of {size}; the smallest there has {least}");
            return Some(message);
        }
        (size > most)
            .then(|| format!("an `{class}` disk{what} of {size}; the largest there has {most}"))
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
        let disk = |size| limits.disk(size, DiskClass::Ssd, false);
        assert_eq!(disk(Bytes::gib(1)), None);
        assert_eq!(disk(Bytes::gib(64 << 10)), None);
        assert_eq!(
            disk(Bytes(10 << 20)).as_deref(),
            Some("a disk of 10MiB; the smallest there has 1GiB")
        );
        assert!(disk(Bytes::gib(70_000)).is_some());
    }

    #[test]
    fn a_class_may_have_bounds_of_its_own() {
        let limits = Limits {
            disk_min: Bytes::gib(1),
            disk_max: Bytes::gib(64 << 10),
            classes: ClassSizes {
                hdd_max: Bytes::gib(16 << 10),
                hdd_boot_max: Bytes::gib(1 << 10),
                nvme_min: Bytes::gib(4),
            },
            ..Limits::default()
        };
        let check = |gib, class, boots, expect: Option<&str>| {
            let told = limits.disk(Bytes::gib(gib), class, boots);
            assert_eq!(told.as_deref(), expect);
        };
        check(20_000, DiskClass::Ssd, true, None);
        check(4, DiskClass::Nvme, false, None);
        let small = "an `nvme` disk of 3GiB; the smallest there has 4GiB";
        check(3, DiskClass::Nvme, false, Some(small));
        check(16 << 10, DiskClass::Hdd, false, None);
        let vast = "an `hdd` disk of 17TiB; the largest there has 16TiB";
        check(17 << 10, DiskClass::Hdd, false, Some(vast));
        let boots = "an `hdd` disk to boot from of 2TiB; the largest there has 1TiB";
        check(2 << 10, DiskClass::Hdd, true, Some(boots));
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
