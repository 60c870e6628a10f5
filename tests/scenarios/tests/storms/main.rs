//! The laws in bad weather, among strangers, after disturbances, and half blind.

mod blind;
mod common;
mod disturbed;
mod named;
mod shutdown;
mod stopped;
mod strangers;
mod weather;
