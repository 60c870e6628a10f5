//! The topology language, from text to intent.

mod bursts;
mod diagnostics;
mod files;
mod format;
mod functions;
mod guide;
mod harness;
mod laws;
mod lease;
mod limits;
mod loading;
mod mistakes;
mod modules;
mod notations;
mod outputs;
mod pin;
mod reference;
mod rollout;
mod scale;
mod secrets;
mod support;
mod templates;
mod terraform;
mod week;
