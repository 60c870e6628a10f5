//! What a provider must do, and the layers that wrap one.
//!
//! A provider gives Stratiform one site: a region of a cloud, or a pool of owned hardware. It is a
//! [`Provider`]: it reads ([`Observe`]), and makes, changes and deletes the things of three services,
//! network, compute and storage, each by [`Writes`]. What only some clouds can do is a facet, which
//! a provider has or has not: [`Machines`], [`Attachment`], [`Contents`], [`Images`], [`Offers`],
//! [`Permissions`], [`Leases`]. What a change of a thing takes, a provider says without any call
//! ([`Provider::changes`]). Nothing here knows of a plan.
//!
//! # What every method promises
//!
//! - **Creates** take a [`Token`](strat_model::Token) and a deterministic name. Repeating a call
//!   with the same token and spec makes nothing twice and answers with what the first one made.
//!   With the same token and another spec it fails with `Precondition`.
//! - **Creates mark**: the [`Mark`](strat_model::Mark) is set in the creating call itself.
//! - **Updates converge**: repeating one changes nothing further. The mark is always written.
//! - **Deletes of a missing thing** are `Ok`.
//! - Creates, updates and deletes may answer before the work is done (`Pending`, `Deleting`);
//!   who needs it done asks [`Observe::get`].
//! - A call about several things gives one [`Outcome`] for each, and does not stop at the first that
//!   fails.
//! - A failed call says how far the failure reaches ([`strat_model::Scope`]).
//! - No method retries, throttles or sets a timeout: [`layers`] do that, once.

mod attachment;
mod clock;
mod contents;
mod ext;
mod images;
pub mod layers;
mod lease;
mod machines;
mod note;
mod observe;
mod offers;
mod permission;
mod provider;
mod quiet;
mod registry;
mod settings;
mod stamp;
mod turns;
mod uniform;
mod write;

pub use attachment::Attachment;
pub use clock::{Clock, Moment, SkippingClock, TokioClock};
pub use contents::{Contents, Emptied};
pub use ext::{ONLY_ZONE, ProviderExt, gather_facts};
pub use images::Images;
pub use lease::{Kept, LEASE_TEXT_MAX, LeaseKey, LeaseVersion, Leases};
pub use machines::{CreateMachines, MachineBatch, Machines, Shutdown};
pub use note::Note;
pub use observe::{Filter, Observe, Page, PageToken, Sought};
pub use offers::Offers;
pub use permission::{PermissionCheck, PermissionState, Permissions};
pub use provider::{Identity, Provider};
pub use quiet::Quiet;
pub use registry::{ConnectContext, LeaseStoreFactory, ProviderFactory, Registry, SettingError};
pub use settings::{SettingsReader, is_loopback};
pub use stamp::Stamp;
pub use turns::Turns;
pub use uniform::{Things, Uniform, uniform_capabilities};
pub use write::{Create, Outcome, Update, Writes, check_fields, if_there, no_such_kind};
