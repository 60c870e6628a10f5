//! Bursts: what runs a policy.
//!
//! [`simulate`] runs one over a trace of demand in virtual time, beside simpler policies and an oracle
//! that knows what comes. What is decided at an instant is in `strat-burst-policy`.

pub mod simulate;
