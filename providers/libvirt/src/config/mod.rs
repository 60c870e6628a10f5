//! The settings of a `site` block.

mod gpus;
mod images;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use strat_model::{Bytes, Currency, DiskClass, Name, SiteSpec};
use strat_provider::{SettingError, SettingsReader};

use crate::buckets::S3Settings;
pub(crate) use gpus::{Gpu, PciAddress};
pub(crate) use images::{DirectBoot, ImageSource};

/// One host of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostConfig {
    /// Its name: what machines' ids begin with.
    pub(crate) name: Name,
    /// The zone that it is in.
    pub(crate) zone: Name,
    /// How libvirt reaches it.
    pub(crate) uri: String,
    /// What is done with it now.
    pub(crate) state: HostState,
    /// Its GPUs that machines may have.
    pub(crate) gpus: Vec<Gpu>,
}

/// What is done with a host now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostState {
    /// It is looked at, and takes what is new.
    #[default]
    Up,
    /// It is looked at, and takes nothing new: it is to be emptied.
    Drain,
    /// It is not looked at, and comes back: what is on it is left as it is.
    Down,
    /// It does not come back: what was on it is gone.
    Gone,
}

/// How much more is promised than there is.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Overcommit {
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
    pub(crate) disk: f64,
}

impl Default for Overcommit {
    fn default() -> Self {
        Self {
            cpu: 1.0,
            memory: 1.0,
            disk: 1.0,
        }
    }
}

/// What an hour of the site's own hardware is reckoned at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cost {
    #[serde(deserialize_with = "amount")]
    pub(crate) cpu_hour: Decimal,
    #[serde(deserialize_with = "amount")]
    pub(crate) memory_gib_hour: Decimal,
    /// Each of a machine's GPUs.
    #[serde(deserialize_with = "amount")]
    pub(crate) gpu_hour: Decimal,
    pub(crate) currency: Currency,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            cpu_hour: Decimal::ZERO,
            memory_gib_hour: Decimal::ZERO,
            gpu_hour: Decimal::ZERO,
            currency: Currency::Usd,
        }
    }
}

/// An exact amount, written as a number or as text.
fn amount<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    use serde::de::Error as _;
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return Err(D::Error::custom("an amount is a number")),
    };
    let amount: Decimal = text.parse().map_err(D::Error::custom)?;
    if amount.is_sign_negative() {
        return Err(D::Error::custom("a cost is not negative"));
    }
    Ok(amount)
}

/// What runs the guests' instructions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Accel {
    /// The processor, or nothing runs.
    Kvm,
    /// QEMU's translator: slow, and works everywhere.
    Tcg,
    /// The processor where it is proved to work, else the translator.
    #[default]
    Auto,
}

/// What a machine's firmware is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Firmware {
    #[default]
    Bios,
    Uefi,
}

/// The processor that guests see under KVM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum CpuModel {
    /// What the host has, in a form that other hosts of its kind can take over.
    #[default]
    HostModel,
    /// The host's own, with everything it can do.
    HostPassthrough,
    /// One by libvirt's name, which all hosts can give.
    Named(String),
}

/// Which pages of the host a guest's memory is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Hugepages {
    /// Ordinary ones.
    #[default]
    #[serde(rename = "none")]
    None,
    /// Large ones of the host's default size.
    #[serde(rename = "default")]
    Default,
    #[serde(rename = "2MiB")]
    TwoMib,
    #[serde(rename = "1GiB")]
    OneGib,
}

/// What the host's page cache has to do with a disk:
/// <https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DiskCache {
    /// As QEMU does it: `writeback`.
    #[default]
    Default,
    None,
    Writeback,
    Writethrough,
    Directsync,
}

impl DiskCache {
    /// libvirt's word, where one is to be said.
    pub(crate) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::None => Some("none"),
            Self::Writeback => Some("writeback"),
            Self::Writethrough => Some("writethrough"),
            Self::Directsync => Some("directsync"),
        }
    }
}

/// How a subnet is joined to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uplink {
    /// Behind the host's address.
    Nat,
    /// Routed by the host.
    Routed,
    /// Not at all.
    Isolated,
    /// On a bridge that is there already, with somebody else's router.
    Bridge {
        /// Its name.
        bridge: String,
        /// The VLAN on it, where libvirt can tag.
        vlan: Option<u16>,
        /// The router, if it is not the first address of the subnet.
        gateway: Option<std::net::Ipv4Addr>,
    },
}

/// What the settings of a `site` block come to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The hosts, in the order of their names, but those that do not come back.
    pub(crate) hosts: Vec<HostConfig>,
    /// The names of hosts that do not come back.
    pub(crate) gone: BTreeSet<Name>,
    pub(crate) overcommit: Overcommit,
    /// What every host keeps for itself.
    pub(crate) reserve: Bytes,
    pub(crate) cost: Cost,
    pub(crate) accel: Accel,
    pub(crate) firmware: Firmware,
    pub(crate) cpu_model: CpuModel,
    pub(crate) hugepages: Hugepages,
    pub(crate) disk_cache: DiskCache,
    /// Whether a machine sends with its own addresses alone.
    pub(crate) anti_spoofing: bool,
    pub(crate) uplink: Uplink,
    /// Name servers for machines on an existing bridge.
    pub(crate) dns: Vec<std::net::IpAddr>,
    /// The storage pool for everything that no class sends elsewhere.
    pub(crate) pool: String,
    /// Where that pool is made if it is not there.
    pub(crate) pool_path: PathBuf,
    /// Other pools, by disk class.
    pub(crate) pools: BTreeMap<DiskClass, String>,
    /// The S3 that buckets are in, if there is one.
    pub(crate) s3: Option<S3Settings>,
    /// Neutral image names.
    pub(crate) images: BTreeMap<String, ImageSource>,
}

/// The attributes of a `site` block that are this provider's own.
const KNOWN: [&str; 17] = [
    "accel",
    "anti_spoofing",
    "cost",
    "cpu_model",
    "disk_cache",
    "dns",
    "firmware",
    "hosts",
    "hugepages",
    "images",
    "network",
    "overcommit",
    "pool",
    "pool_path",
    "pools",
    "reserve",
    "s3",
];

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::new(spec);
        let (hosts, gone) = reader::hosts(&mut reader);
        let settings = Self {
            hosts,
            gone,
            overcommit: reader::overcommit(&mut reader),
            reserve: reader::reserve(&mut reader),
            cost: reader.or_default("cost"),
            accel: reader.or_default("accel"),
            firmware: reader.or_default("firmware"),
            cpu_model: reader::cpu_model(&mut reader),
            hugepages: reader.or_default("hugepages"),
            disk_cache: reader.or_default("disk_cache"),
            anti_spoofing: reader.flag("anti_spoofing", true),
            uplink: reader::uplink(&mut reader),
            dns: reader.or_default("dns"),
            pool: reader
                .get("pool")
                .unwrap_or_else(|| "stratiform".to_owned()),
            pool_path: reader
                .get("pool_path")
                .unwrap_or_else(|| PathBuf::from("/var/lib/libvirt/images/stratiform")),
            pools: reader::pools(&mut reader),
            s3: reader::s3(&mut reader),
            images: images::read(&mut reader),
        };
        reader::elsewhere(&mut reader, &settings.hosts);
        let credentials =
            "remove it: libvirt is reached as the one who runs this, or by SSH's own keys";
        reader.unknown("this provider", &KNOWN, credentials);
        reader.finish(settings)
    }
}

#[cfg(test)]
mod tests;
