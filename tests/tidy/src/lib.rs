//! House rules as a test: see `tests/tidy.rs`.
