//! Work on several processors whose results are taken in order.
//!
//! It is for work of a few milliseconds, of which a thread that is started for it misses half. So the
//! threads are started once, and wait; and the caller works too, from the first moment to the last:
//! a thread that wakes late does less, and nobody waits for it.

mod in_order;
mod lines;

pub use in_order::{STACK_BYTES, in_order};
pub use lines::{Length, each_line};
