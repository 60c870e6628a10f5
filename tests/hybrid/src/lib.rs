//! The reference topology over all providers at once, as a test: see `tests/hybrid`.
