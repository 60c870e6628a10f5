//! The lease: who may write to a topology's things now.
//!
//! # Expected flow
//!
//! [`take`] for the folder, then for each site where something is to be written, in the order of
//! their keys; each gives a [`LeaseGuard`], which renews it. The layers ask
//! [`LeaseGuard::permit`] before each attempt at a write leaves; [`LeaseGuard::release`] at the
//! end. [`look`] and [`free`] are for people who find it held.
//!
//! # Guarantees
//!
//! - One holder at a time and place, whichever computers they are on: the store writes on
//!   condition, and [`protocol`] has the rules. They are checked in every interleaving, to a depth,
//!   in `tests/lease_model`.
//! - A dead holder's lease ends by itself; on the same host it is taken over at once.
//! - A holder that was frozen, suspended, or cut off writes nothing after its term.
//!
//! # Caveats
//!
//! - A write that was sent in time and takes effect late cannot be called back: no cloud's compute
//!   API takes a fencing token. It shows as a twin.

mod error;
mod file;
mod guard;
mod held;
mod holder;
mod memory;
pub mod protocol;
mod record;
mod take;
#[cfg(test)]
mod tests;
mod unlock;
mod waiting;

use jiff::Timestamp;

pub use error::LeaseError;
pub use file::FileLeases;
pub use guard::LeaseGuard;
pub use held::HeldLeases;
pub use holder::{Holder, ProcessMark};
pub use memory::MemoryLeases;
pub use protocol::LeasePolicy;
pub use take::{Claim, Spot, Taken, take, take_from};
pub use unlock::{Found, Watched, free, look, watch_renewals};

/// A lease that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who.
    pub holder: Holder,
    /// Its epoch: grows with every taking.
    pub generation: u64,
    /// When its holder last wrote it, by that one's own clock.
    pub renewed: Timestamp,
    /// When it ends by itself unless it is renewed: by our clock, if nothing is written from now on.
    pub expires: Timestamp,
}
