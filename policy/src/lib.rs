//! Policies over plans, in Rego, the language of Open Policy Agent.
//!
//! [`RegoPolicies`] reads folders of `.rego` files and is what [`stratiform`] asks before a plan is
//! applied. Of each package the rules `deny`, `violation` and `warn` count, and those whose names begin
//! with one of these and an underscore (`deny_public`), as for `conftest`: each is a set of sentences, or
//! of objects with `msg` and, where it is about one thing, `addr`.
//!
//! A policy sees `input` alone: it reads no file, calls nobody, and knows no time. The same plan is judged
//! the same way every time, and within [`STEPS_MAX`].

mod engine;
mod files;
mod steps;
mod verdicts;

pub use engine::RegoPolicies;
pub use steps::STEPS_MAX;

#[cfg(test)]
mod tests;
