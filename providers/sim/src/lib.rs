//! A simulated cloud with the failure modes of real ones.

mod catalogue;
mod compute;
mod config;
mod control;
mod error;
mod factory;
mod faults;
mod images;
mod network;
mod observe;
mod offers;
mod profile;
mod provider;
mod rules;
mod storage;
mod world;

pub use config::{Behaviour, SimSite};
pub use control::{Disturbance, RegionView, SimControl};
pub use factory::SimFactory;
pub use faults::{Fault, PlannedFault, StockLimit, Trials};
pub use profile::Profile;
pub use world::{CallHook, Phase, RegionKey, Verdict, World};
