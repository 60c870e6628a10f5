//! The topology language: HCL, YAML and JSON to an evaluated intent.
//!
//! [`Sources`] is the text, [`Topology`] the parsed text, [`Evaluated`] what it asks for with
//! some [`Inputs`]. Nothing here talks to a cloud; files are read only where a topology names
//! them.

mod ask;
mod ast;
mod cases;
mod data;
mod decode;
pub mod editor;
mod eval;
mod expand;
mod format;
mod functions;
mod hints;
mod inputs;
mod json;
mod json_schema;
mod notation;
mod outputs;
mod pin;
mod program;
mod report;
mod schema;
mod shown;
mod source;
mod span;
mod syntax;
mod topology;
mod types;
mod value;
mod yaml;

pub use ask::EXPRESSION;
pub use cases::{Broken, Held, TEST_ENDING, TestBurst, TestFile, TestRun, TestWords};
pub use format::{format, format_file, is_formatted};
pub use functions::{FunctionDoc, functions};
pub use inputs::{Inputs, VariableDoc};
pub use json_schema::json_schema;
pub use outputs::Output;
pub use pin::{CannotPin, Pinned, PinnedFile, Pins, pin};
pub use source::{LoadError, Overlay, SourceFile, Sources};
pub use topology::{Evaluated, Topology};
pub use value::Json;
