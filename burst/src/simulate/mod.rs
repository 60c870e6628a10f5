//! A policy over a trace of demand, in virtual time.
//!
//! [`Trace`] is what is asked of the machines; [`Setting`] is the world in which they run: owned
//! hardware, a cloud's offers, how long a boot takes, what fails and when. [`simulate`] runs the policy
//! in it, and beside it simpler policies and an oracle, and gives an [`Outcome`] for each.

mod account;
mod chart;
mod oracle;
mod others;
mod run;
mod setting;
pub mod shapes;
mod trace;
mod world;

pub use account::{Outcome, Point, Report, TraceSummary};
pub use chart::svg;
pub use run::{SimulateError, simulate};
pub use setting::{Between, Capacity, CloudOffer, Setting};
pub use trace::{Columns, Trace, TraceError};
