//! The `strat` command.
mod render { pub(crate) mod plan; pub(crate) mod change; pub(crate) mod spec; pub(crate) mod values; pub(crate) mod cost; pub(crate) mod wrap; pub(crate) mod style; pub(crate) mod table; #[cfg(test)] mod tests; }
fn main() {}
