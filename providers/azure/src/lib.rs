//! Azure as a provider.
//!
//! A `site` is one region of one subscription:
//!
//! ```hcl
//! site "west" {
//!   provider = "azure"
//!   account  = "00000000-0000-0000-0000-000000000000"     # the subscription
//!   region   = "westeurope"
//! }
//! ```
//!
//! # What becomes of each kind
//!
//! | kind | on Azure | where the mark is | what makes a repetition harmless |
//! |---|---|---|---|
//! | `network` | a virtual network | tags | a look, then the name |
//! | `subnet` | a subnet | tags of its network | a look, then the name |
//! | `firewall` | an application security group, and rules in the security group of its network | tags | a look, then the name |
//! | `address` | a static public IPv4 address | tags | a look, then the name |
//! | `keypair` | an SSH public key | tags | a look, then the name |
//! | `machine` | a virtual machine; its interface, address and disks go with it | tags | `If-None-Match: *` |
//! | `volume` | a managed disk: `hdd` is Standard HDD, `ssd` Standard SSD, `nvme` Premium SSD | tags | a look, then the name |
//! | `bucket` | a storage account with one container | tags | a look, then the name |
//! | `image` | not made here. The marketplace's are found by name | | |
//!
//! All of it is in one resource group for the topology and site, or in the one that the site names.
//! Leases are blobs of a storage account of their own.
//!
//! # Invariants
//!
//! - Nothing in here retries, throttles or times out: one call is one request. An operation is waited
//!   for, with a bound whose end is an unknown outcome.
//! - No `PUT` is sent to a thing that is there, but for those that have no other way, and these are sent
//!   what was read, with what changes. Tags are merged and taken off one by one.
//! - Nothing without our mark is changed or deleted, but for what an update of an adopted thing names. No
//!   resource group is ever deleted.
//! - Observing costs one call a page and a constant, never one a machine.
//! - No secret is in an error or a `Debug` form, and no token goes anywhere but to Azure's own hosts.

mod access;
mod arm;
mod capabilities;
mod changes;
mod compute;
mod config;
mod credentials;
mod error;
mod factory;
mod group;
mod images;
mod leases;
mod names;
mod network;
mod observe;
mod offers;
mod permissions;
mod provider;
mod storage;
mod tags;
mod wire;
mod writes;

pub use capabilities::capabilities;
pub use factory::AzureFactory;

/// What it takes to change things on Azure, where nothing is known of the sizes.
#[must_use]
pub fn changes() -> strat_model::Changes {
    let rules = changes::AzureRules::new(&capabilities(None), std::sync::Arc::default());
    strat_model::Changes::new(rules)
}
