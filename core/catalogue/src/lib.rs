//! What clouds sell, from a dated snapshot that is built in: for planning without asking them.
//!
//! ```
//! use strat_catalogue::{Cloud, Snapshot};
//!
//! let snapshot = Snapshot::of(Cloud::Aws);
//! let prices = snapshot.prices("eu-central-1");
//! assert_eq!(prices["m5.large"].to_string(), "0.115 USD");
//! assert!(snapshot.as_of().to_string().starts_with("20"));
//! ```
//!
//! The snapshot is text, one file a cloud, and nothing of it is read before it is asked for; then
//! only that cloud's. `scripts/catalogue-snapshot` writes it, and says where each fact is from.
//!
//! # What it does not know
//!
//! - A price that the source does not have is unknown: `None`, never zero. So are AWS's and
//!   Azure's spot prices, which move by the hour: the size is listed as spot, without a price.
//! - Some of the source's prices of EC2 are 6 to 10 % above the list, by the look of it those of
//!   dedicated tenancy: `m5.large` is 0.096 in us-east-1 and 0.102 in us-west-2. They are as found.
//! - Sizes of unknown shape, such as Azure's M series, have a price and are no [`Listing`].
//! - Azure's and Google's zones are not in the source: a listing then has one, named as the region.
//! - Google's GPUs, and Azure's and Google's families of after 2020, are not in the source: it says
//!   one date for all, and these parts are older.
//! - Google's custom machine types are in no list. [`Cloud::made_to_measure`] works out those that fit
//!   what is wanted, with their prices.

mod cell;
mod cloud;
mod measure;
mod snapshot;

pub use cloud::{Cloud, UnknownCloud};
pub use measure::{PREMIUM_PERCENT, Wanted};
pub use snapshot::{Listing, Snapshot};
