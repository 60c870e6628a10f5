//! Bursts: what runs a policy.
//!
//! [`simulate`] runs one over a trace of demand in virtual time, beside simpler policies and an oracle
//! that knows what comes. `run`, with the feature of that name, is the controller: it measures with
//! `signals`, decides, and carries out what was decided by the plan and the engine of an apply. [`log`]
//! keeps each decision with its inputs, [`status`] what the controller says of itself, and `serve` shows
//! both. What is decided at an instant is in `strat-burst-policy`.

pub mod log;
pub mod pause;
#[cfg(feature = "run")]
pub mod run;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "run")]
pub mod serve;
#[cfg(feature = "run")]
pub mod signals;
pub mod simulate;
pub mod status;

#[cfg(feature = "schema")]
pub use schema::{decision_schema, status_schema};
pub use strat_burst_policy as policy;
