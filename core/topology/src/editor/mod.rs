//! What an editor asks of the language: what may stand in a block, what stands at the cursor of a
//! text that is half typed, what is defined where and referred to from where.
//!
//! All of it is read from the tables and by the parser that evaluation uses. Places are bytes of the
//! text without its byte order mark.

mod cursor;
mod names;
mod outline;
mod words;

pub use cursor::{Cursor, Place};
pub use names::{Definition, FileLink, Names, Reference};
pub use outline::{Item, ItemKind, Outline};
pub use words::{AttributeDoc, BlockDoc, roots};
