//! How things look. Everything here is a plain function from data to text; the text carries
//! colours, and [`crate::output`] takes them out where they do not belong.

pub(crate) mod burst;
pub(crate) mod change;
pub(crate) mod cost;
pub(crate) mod diagnostics;
mod excerpt;
pub(crate) mod explanation;
pub(crate) mod failure;
pub(crate) mod fold;
pub(crate) mod graph;
pub(crate) mod inventory;
pub(crate) mod left;
pub(crate) mod markdown;
pub(crate) mod numbers;
pub(crate) mod outputs;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod reach;
pub(crate) mod reached;
pub(crate) mod rehearsal;
pub(crate) mod report;
pub(crate) mod simulation;
pub(crate) mod spec;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod timings;
pub(crate) mod values;
pub(crate) mod visible;
pub(crate) mod wrap;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod tests;
