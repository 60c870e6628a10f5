//! Random topologies, and a folder to apply them from: what the laws are tested with.

mod folder;
mod generate;

pub use folder::{Applied, Folder};
pub use generate::{Random, Weather, random};
