//! Amazon Web Services as a provider, on the vendor's own SDK.
//!
//! A `site` is one region of one account:
//!
//! ```hcl
//! site "east" {
//!   provider = "aws"
//!   region   = "eu-central-1"
//!   profile  = "shop"                                   # else the standard credential chain
//!   assume_role = "arn:aws:iam::123456789012:role/shop" # with those credentials
//! }
//! ```
//!
//! # What becomes of each kind
//!
//! | kind | on AWS | where the mark is | what makes a repetition harmless |
//! |---|---|---|---|
//! | `network` | a VPC, its internet gateway, the default route of its main route table | tags of VPC and gateway | the token in a tag |
//! | `subnet` | a subnet of one zone | tags | the token in a tag |
//! | `firewall` | a security group; a rule's name is in the descriptions of its rows | tags | the token in a tag, the name |
//! | `address` | an Elastic IP address | tags | the token in a tag |
//! | `keypair` | an imported key pair | tags | the token in a tag, the name |
//! | `machine` | an EC2 instance with IMDSv2 required; its own disks go with it | tags | `ClientToken` |
//! | `volume` | an EBS volume: `hdd` is st1 (standard below 125 GiB), `ssd` gp3, `nvme` io2 | tags | `ClientToken` |
//! | `bucket` | an S3 bucket: encrypted, public access blocked | tags | the token in a tag, the name |
//! | `image` | not made here: import is another service's work. Public images are found by name | | |
//!
//! Leases are objects of the bucket `stratiform-leases-ACCOUNT-REGION`, or of the one that the
//! setting `lease_bucket` names.
//!
//! # Invariants
//!
//! - Nothing in here retries, throttles or times out: the SDK's own retries and timeouts are off.
//! - Nothing without our mark is changed or deleted, but for what an update of an adopted thing
//!   names. The default VPC is never touched.
//! - Observing costs one call a page and a constant, never one a machine.
//! - No secret is in an error or a `Debug` form: credentials stay inside the SDK.

mod access;
mod arch;
mod capabilities;
mod changes;
mod compute;
mod config;
mod error;
mod factory;
mod images;
mod leases;
mod network;
mod observe;
mod offers;
mod permissions;
mod provider;
mod recent;
mod setup;
mod storage;
mod tags;
mod tokens;
mod writes;

pub use capabilities::capabilities;
pub use factory::AwsFactory;
pub use setup::SETUP;

/// What it takes to change things on AWS, where nothing is known of the machine types.
#[must_use]
pub fn changes() -> strat_model::Changes {
    let rules = changes::AwsRules::new(&capabilities(None), std::sync::Arc::default());
    strat_model::Changes::new(rules)
}
