//! Stratiform as a library: load a topology, plan, apply, observe.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use stratiform::{ApplyOptions, Inputs, PlanOptions, RunOptions, Session, Workspace};
//! use stratiform::provider::Registry;
//!
//! # async fn example() -> Result<(), stratiform::Error> {
//! let registry = Registry::new(); // `.with(…)` a factory for each provider
//! let workspace = Workspace::load(Path::new("shop"), Inputs::default(), registry)?;
//! let session = Session::connect(workspace).await?;
//!
//! let run = session.begin(&RunOptions::new("my program")).await?;
//! let planned = run.plan(&PlanOptions::default()).await?;
//! let outcome = run.apply(&planned, &ApplyOptions::default()).await;
//! run.end().await?;
//! assert!(outcome?.is_success());
//! # Ok(())
//! # }
//! ```
//!
//! - [`Workspace`] is a topology that was read and checked; nothing was called yet.
//! - [`Session`] is the same with its sites connected: it observes and plans.
//! - [`Run`] holds the lease: it applies.
//! - [`SavedPlan`] is a plan on disk. It is applied only while the world and the topology are what
//!   they were.
//! - [`OfflinePlan`] is a plan made without asking any cloud, for its cost; it is not applied.
//!
//! Everything underneath is here too, by its own name: [`model`], [`topology`], [`planner`],
//! [`provider`], [`engine`], [`catalogue`].

pub mod answer;
mod begin;
mod budget;
mod consent;
mod error;
mod gone;
mod identity;
mod learned;
mod lease_store;
mod leases;
mod lineage;
mod lookups;
mod measure;
mod moved;
mod offline;
mod pending;
mod phase;
mod planned_outputs;
pub mod policy;
mod reach;
mod relocation;
mod rounds;
mod run;
mod saved;
mod scaling;
#[cfg(feature = "schema")]
mod schema;
mod session;
mod silences;
mod sites;
mod state;
mod stock;
mod stuck;
mod targets;
mod unpaid;
mod workspace;

pub use begin::RunOptions;
pub use budget::over_budget;
pub use consent::{AllowDataLoss, AllowDataLossError, argument, not_agreed, quoted, whole_destroy};
pub use error::Error;
pub use leases::{LeasePlace, folder_lease};
pub use lineage::new_lineage;
pub use offline::{FactsSource, KnownOffers, OfferCache, OfflineFacts, OfflinePlan};
pub use phase::PHASE_TARGET;
pub use planned_outputs::OutputChange;
pub use policy::{Policies, Verdict};
pub use reach::{Anywhere, Holds, NoReach, ReachCheck};
pub use relocation::{Destination, MachinePlace, Relocation};
pub use run::{ApplyOptions, ApplyOutcome, Run};
pub use saved::{MissingLeaseStore, SavedPlan};
pub use scaling::is_led_by_another;
#[cfg(feature = "schema")]
pub use schema::plan_schema;
pub use session::{PlanOptions, Planned, Session};
pub use state::StateDir;
pub use strat_provider::{Things, Uniform, uniform_capabilities};
pub use stuck::Stuck;
pub use workspace::Workspace;

pub use strat_engine::{Event, EventSink, HealthProbe, NetProbe, Question, Stop};
pub use strat_planner::{Claims, Mode, Plan, Target};
pub use strat_topology::Inputs;

pub use strat_catalogue as catalogue;
pub use strat_engine as engine;
pub use strat_model as model;
pub use strat_planner as planner;
pub use strat_provider as provider;
pub use strat_topology as topology;
