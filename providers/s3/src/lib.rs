//! Buckets and leases in any S3: for providers whose sites have an endpoint of one, and for
//! topologies that keep their leases in a bucket.
//!
//! | what | where it is |
//! |---|---|
//! | mark, labels | the bucket's tags, set in the creating call, and once more where a server passes over them there |
//! | versions | the bucket's own setting |
//!
//! A bucket's name is its id, and one for the whole server. Servers of one's own have no list of
//! tags, so a list asks each bucket of the account for its own: two small calls a bucket.
//!
//! Nothing here retries or waits: one call is one attempt.

mod buckets;
mod contents;
mod error;
mod factory;
mod leases;
mod settings;
pub mod tag_text;
mod tags;
mod transport;

pub use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
pub use buckets::Buckets;
pub use contents::{empty, is_empty};
pub use factory::S3LeaseFactory;
pub use leases::S3Leases;
pub use settings::S3Settings;
pub use transport::{PROXIES, http_client, refused_by_proxy};
