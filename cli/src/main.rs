//! The `strat` command.
fn main() {}
