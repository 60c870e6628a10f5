//! The provider `aws` against moto, a server that speaks AWS's protocols, behind a filter that
//! does what moto leaves out.
//!
//! One program of tests for all: the SDK is large to link.

mod conformance;
mod counts;
mod denials;
mod example;
mod filter;
mod harness;
mod iam;
mod launches;
mod moto;
mod once;
mod others;
mod outside;
mod ownership;
mod permissions;
mod roles;
mod runs_out;
mod sale;
mod sealed;
mod setup;
mod upset;
mod ways;
mod writers;
