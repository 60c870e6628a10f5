//! How many machines a fleet needs now, and where they come from: a pure function.
//!
//! [`decide`] takes a [`Policy`] and the [`Inputs`] of one instant (signals, inventory, offers,
//! history), and gives a [`Decision`] with the steps to be done and the reasons. It does no I/O, reads
//! no clock and draws no number, so the same arguments give the same bytes; a [`Record`] keeps them,
//! and [`Record::replay`] makes the decision again.
//!
//! # Embedding it
//!
//! Whoever runs it measures, lists machines, and carries steps out:
//!
//! ```
//! use strat_burst_policy::{Action, Inputs, Policy, Reading, Sample, decide};
//! use strat_model::burst::{BurstPolicy, Signal, SignalKind};
//!
//! let mut settings = BurstPolicy::new("web", 2, 60);
//! settings.signals = vec![Signal::new("rps", "", SignalKind::Demand { each: 120.0 })];
//! let policy = Policy::new(settings)?;
//!
//! // At each interval:
//! let now = "2026-11-30T09:00:00Z".parse()?;
//! let mut inputs = Inputs::new(now);
//! let value = Reading::of(1100.0);
//! inputs.signals.insert("rps".to_owned(), Sample { value, at: now });
//! // inputs.machines = what runs; inputs.offers = what can be had; inputs.spent = the bill.
//! let decision = decide(&policy, &inputs);
//! assert_eq!(decision.need, 10);
//! assert_eq!(decision.action, Action::Hold); // there are no offers yet
//! // … carry out decision.steps, then keep what was decided for the next time:
//! let mut history = inputs.history.clone();
//! history.note(&policy, &inputs, &decision);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - A machine that was asked for is in `inputs.machines` as [`State::Pending`] from the next instant
//!   on; whoever cannot list it yet adds it. Machines of a site that cannot be listed stay as they
//!   were, with the site in `inputs.unseen`.
//! - A query that fails is [`Reading::Nothing`] or not in `inputs.signals` at all. It is never zero.
//! - [`Forecaster`] takes the same samples at each interval; what it gives is `inputs.expected`.
//! - An offer that could not be had comes back with [`RanOut`]; one that was had, without.
//!
//! # Rooms
//!
//! `needs` turns signals into machines with [`queueing`], windows and [`Forecaster`]; `target`
//! combines and steadies them; `place` finds machines, `apart` so that a loss is survived, and `release`
//! lets them go; `budget` is what can be paid; `carried` learns what a machine carries.

mod apart;
mod budget;
mod carried;
mod decide;
mod decision;
mod forecast;
mod inputs;
mod needs;
mod place;
mod policy;
pub mod queueing;
mod record;
mod release;
mod spread;
mod target;
mod windows;

pub use carried::Carried;
pub use decide::decide;
pub use decision::{
    Action, Cost, Counts, Decision, FORMAT_VERSION, Limit, Moving, Need, Op, SignalReport,
    SignalState, Step,
};
pub use forecast::{Expected, Forecaster};
pub use inputs::{
    Arrivals, BatchMachine, Changed, History, Inputs, Machine, Needed, Offer, Place, RanOut,
    Reading, Sample, Spent, State,
};
pub use policy::{Policy, PolicyError};
pub use record::{Record, ReplayError};
pub use windows::{LONGEST_S, WindowError};
