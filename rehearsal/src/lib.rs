//! Rehearses a loss: a site, a zone or a provider is gone, and what then?
//!
//! [`rehearse`] takes what was observed of the real world and makes a simulated copy of every site:
//! the same zones, offers, limits, images and abilities, and exactly the things that were seen. It
//! fails there what is to fail, and says what goes down, whether the load holds with what is left,
//! and what the next apply does. That apply is the real one, engine and all, run against the copy
//! on a clock that jumps; so how long it takes and whether it ends well is seen, not guessed.
//!
//! Nothing real is called or written: the copies are in memory, the journal is a copy too.
//!
//! # What it cannot know
//!
//! - What a site has in stock. A copy sells all that the real one lists, as far as quotas and owned
//!   hardware permit; what ran out lately is passed over, as in a real plan.
//! - What is at a site that was not seen whole: it stays unreachable in the rehearsal, too.
//! - How fast a real cloud is. Simulated sites take their own time; for others [`Timing`] has
//!   assumptions, and says so.
//! - Whether what runs on new machines is healthy: nobody is asked, and each counts as healthy.
//! - What a real cloud says of things in a lost zone. Here its machines are reported as failed,
//!   and calls that make something there are refused.

mod copies;
mod error;
mod load;
mod loss;
mod rehearse;
mod report;
mod timing;

pub use error::Error;
pub use loss::Loss;
pub use rehearse::rehearse;
pub use report::{Down, Load, NextApply, PlannedChange, Rehearsal};
pub use timing::Timing;
