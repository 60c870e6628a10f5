//! Where things can run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Bytes, Labels, Name, Origin, Pool};

/// A site as a topology declares it: a provider, a region, and what the provider wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSpec {
    /// Its name in the topology.
    pub name: Name,
    /// The provider's name, such as `sim` or `aws`.
    pub provider: String,
    /// The region, where the provider has regions.
    pub region: Option<String>,
    /// The account, project or subscription that it is in, in the cloud's own words: other credentials
    /// are refused before anything is planned. `None` where nobody pinned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The zones to use; empty for all that the region has.
    pub zones: Vec<Name>,
    /// For owned hardware, how much there is.
    pub capacity: Option<SiteCapacity>,
    /// What is to be known of it when machines are placed, such as `residency = "eu"`.
    #[serde(default, skip_serializing_if = "crate::Texts::is_empty")]
    pub labels: Labels,
    /// Everything else in the block, for the provider's factory to check and read.
    /// It names credentials (a profile, a role); it never holds one.
    pub settings: Map<String, Value>,
    /// Where the block stands.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

impl SiteSpec {
    /// A site of which nothing is said but its name and its provider.
    #[must_use]
    pub fn new(name: Name, provider: impl Into<String>) -> Self {
        Self {
            name,
            provider: provider.into(),
            region: None,
            account: None,
            zones: Vec::new(),
            capacity: None,
            labels: Labels::new(),
            settings: Map::new(),
            origin: None,
        }
    }
}

/// Where a topology keeps its leases, in place of its sites' own stores, as its `lease` block
/// declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSpec {
    /// The store's name, such as `postgres` or `s3`.
    pub store: String,
    /// Everything else in the block, for the store's factory to check and read. It names
    /// credentials; it never holds one.
    pub settings: Map<String, Value>,
    /// Where the block stands.
    pub origin: Option<Origin>,
}

/// How much owned hardware there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCapacity {
    /// Virtual CPUs.
    pub cpu: u64,
    /// Memory.
    pub memory: Bytes,
    /// Disk; `None` is without bound.
    pub disk: Option<Bytes>,
    /// GPUs, by model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus: BTreeMap<String, u64>,
}

impl SiteCapacity {
    /// All of it, as a pool that nobody uses.
    #[must_use]
    pub fn pool(&self) -> Pool {
        Pool {
            cpu: self.cpu,
            memory: self.memory,
            disk: self.disk.unwrap_or(Bytes(u64::MAX)),
            gpus: self.gpus.clone(),
        }
    }
}
