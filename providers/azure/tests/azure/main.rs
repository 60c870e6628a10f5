//! The provider `azure` against the double of Azure Resource Manager, which refuses what the types of
//! Microsoft's own clients do not know; and against Azurite, Microsoft's own emulator of blobs.

mod azurite;
mod conformance;
mod counts;
mod example;
mod harness;
mod once;
mod ours;
mod outside;
mod runs_out;
mod sale;
mod subscriptions;
