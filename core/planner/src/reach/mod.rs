//! Whether traffic may pass from one place to another, and what decides it: what a topology says alone.
//!
//! What stands between two ends is looked at one after the other, and each is a [`Hop`] of the answer:
//! the way that packets take, what lets them out of the machine that sends, what lets them in to the one
//! that receives. Firewalls are stateful, so answers need no rule of their own. A machine is let out, and
//! lets in, what any of its firewalls does; a firewall without an egress rule lets out everything.

mod admissions;
mod answer;
mod gate;
mod hop;
mod party;
mod route;
mod spans;
mod traffic;

pub use admissions::{Admission, admissions};
pub use answer::{Crossing, Question, Unreachable, reach};
pub use hop::{Hop, HopAt, Passes, RuleRef};
pub use traffic::{Passage, Traffic};
