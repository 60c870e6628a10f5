//! Bursts: what runs a policy.
//!
//! [`simulate`] runs one over a trace of demand in virtual time, beside simpler policies and an oracle
//! that knows what comes. [`run`] is the controller: it measures with [`signals`], decides, and carries
//! out what was decided by the plan and the engine of an apply; [`log`] keeps each decision with its
//! inputs, and [`serve`] shows them. What is decided at an instant is in `strat-burst-policy`.

#[cfg(feature = "run")]
pub mod log;
#[cfg(feature = "run")]
pub mod run;
#[cfg(feature = "run")]
pub mod signals;
pub mod simulate;
