//! The provider `gcp` against the double of Compute Engine and Cloud Storage, which refuses what
//! Google's own description of its API does not know.
//!
//! One program of tests for all: the SDK is large to link.

mod conformance;
mod counts;
mod drift;
mod example;
mod harness;
mod in_the_way;
mod measure;
mod once;
mod ours;
mod outside;
mod projects;
mod role;
mod runs_out;
mod sale;
mod shop;
