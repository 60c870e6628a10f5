//! What a provider must do, and the layers that wrap one.
//!
//! A provider gives Stratiform one site: a region of a cloud, or a pool of owned hardware. It is a
//! [`Provider`], which hands out one small object per noun: [`Observe`], [`Network`], [`Compute`],
//! [`Storage`], [`Images`], [`Offers`]. Nothing here knows of a plan.
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
//! - A failed call says how far the failure reaches ([`strat_model::Scope`]).
//! - No method retries, throttles or sets a timeout: [`layers`] do that, once.

mod clock;
mod compute;
mod ext;
mod images;
pub mod layers;
mod network;
mod observe;
mod offers;
mod permission;
mod provider;
mod registry;
mod request;
mod storage;

pub use clock::{Clock, SkippingClock, TokioClock};
pub use compute::{Compute, CreateMachines, MachineBatch, Shutdown};
pub use ext::{ProviderExt, gather_facts};
pub use images::Images;
pub use network::Network;
pub use observe::{Filter, Observe, Page, PageToken};
pub use offers::Offers;
pub use permission::{PermissionCheck, PermissionState};
pub use provider::{Identity, Provider};
pub use registry::{ConnectContext, ProviderFactory, Registry, SettingError};
pub use request::{Create, Update};
pub use storage::Storage;
