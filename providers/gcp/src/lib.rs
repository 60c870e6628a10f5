//! Google Cloud as a provider, on the vendor's own SDK.
//!
//! A `site` is one region of one project:
//!
//! ```hcl
//! site "west" {
//!   provider = "gcp"
//!   account  = "my-project"                                      # the project's id
//!   region   = "europe-west3"
//!   credentials = "shop.json"                                    # else application default credentials
//!   impersonate = "shop@my-project.iam.gserviceaccount.com"      # with those credentials
//! }
//! ```
//!
//! # What becomes of each kind
//!
//! | kind | on Google Cloud | where the mark is | what makes a repetition harmless |
//! |---|---|---|---|
//! | `network` | a VPC network in custom mode | its description, then the project's metadata | the name |
//! | `subnet` | a subnet of the region | its description, then the project's metadata | the name |
//! | `firewall` | firewall rules for one network tag | the description of the first | the names |
//! | `address` | a static external IPv4 address of the region | labels | the name |
//! | `keypair` | an entry of the project's metadata | the entry | the name |
//! | `machine` | an instance; its own disks go with it | labels | the name |
//! | `volume` | a persistent disk: `hdd` is pd-standard, `ssd` pd-balanced, `nvme` pd-ssd | labels | the name |
//! | `bucket` | a bucket of the region: uniform access, public access prevented | labels | the name |
//! | `image` | not made here: import is another service's work. Public images are found by name | | |
//!
//! Every call that makes something carries a `requestId` made of the token besides, so that Google
//! answers a repetition with the operation that is under way. Changes and deletes have no token of
//! their own: they read what is there first and write what differs, on condition where Google has one.
//!
//! Leases are objects of the bucket `stratiform-leases-PROJECT-REGION`, or of the one that the setting
//! `lease_bucket` names.
//!
//! # Invariants
//!
//! - Nothing in here retries, throttles or times out: the SDK's own retries are off and its pollers are
//!   not used. An operation is waited for, with a bound whose end is an unknown outcome.
//! - Nothing without our mark is changed or deleted, but for what an update of an adopted thing names.
//! - Observing costs one call a page and a constant, never one a machine.
//! - No secret is in an error or a `Debug` form: credentials stay inside the SDK.

mod access;
mod capabilities;
mod changes;
mod compute;
mod config;
mod error;
mod factory;
mod images;
mod labels;
mod leases;
mod metadata;
mod names;
mod network;
mod notes;
mod observe;
mod offers;
mod operations;
mod permissions;
mod provider;
mod storage;
mod writes;

pub use capabilities::capabilities;
pub use factory::GcpFactory;

/// What it takes to change things on Google Cloud, where nothing is known of the machine types.
#[must_use]
pub fn changes() -> strat_model::Changes {
    let rules = changes::GcpRules::new(&capabilities(None), std::sync::Arc::default());
    strat_model::Changes::new(rules)
}
