//! What a site sells and how much of it there is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Bytes, Capabilities, Changes, Money, Name, PublicImages};

/// How capacity is bought.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CapacityKind {
    /// By the hour, kept until given back.
    #[default]
    OnDemand,
    /// Cheaper, and taken back at short notice.
    Spot,
    /// Paid for ahead.
    Reserved,
    /// Our own hardware.
    Owned,
}

impl CapacityKind {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
            Self::Owned => "owned",
        }
    }
}

/// A size that a site sells in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The zone.
    pub zone: Name,
    /// The cloud's name for the size.
    pub machine_type: String,
    /// What quotas count together, such as `m5`.
    pub family: String,
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory.
    pub memory: Bytes,
    /// The instruction set: `x86_64` or `aarch64`.
    pub arch: String,
    /// How many whole GPUs come with it.
    #[serde(default)]
    pub gpus: u32,
    /// The GPUs' model, in the cloud's own words, such as `T4`; `None` where there are none, or
    /// the cloud does not say which.
    #[serde(default)]
    pub gpu: Option<String>,
    /// Whether it has its CPUs' full speed only now and then: AWS's T types, Azure's B series, Google's
    /// types with shared cores.
    #[serde(default)]
    pub burstable: bool,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The price of an hour; `None` where it is not known.
    pub price_hour: Option<Money>,
}

/// An amount of hardware.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Virtual CPUs.
    pub cpu: u64,
    /// Memory.
    pub memory: Bytes,
    /// Disk.
    pub disk: Bytes,
    /// GPUs, by model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus: BTreeMap<String, u64>,
}

/// A limit that the account has at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The family of offers that it counts; `None` counts all.
    pub family: Option<String>,
    /// The most virtual CPUs that may run.
    pub cpu_limit: u64,
    /// Those that run now, whosever they are.
    pub cpu_used: u64,
}

/// What is known of a site before anything is planned there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteFacts {
    /// What its provider can do there.
    pub capabilities: Capabilities,
    /// What it takes to change things there. It is a provider's function and is not saved: facts
    /// that were read from a file know of no change.
    #[serde(skip)]
    pub changes: Changes,
    /// Its zones, sorted; never empty.
    pub zones: Vec<Name>,
    /// What it sells, sorted by zone, type and capacity.
    pub offers: Vec<Offer>,
    /// For owned hardware, what nobody uses now. `None`: no bound is known.
    pub free: Option<Pool>,
    /// The account's limits.
    pub quotas: Vec<Quota>,
    /// This site's current images, by neutral name and instruction set.
    pub images: PublicImages,
}
