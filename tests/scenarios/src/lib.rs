//! End-to-end scenarios and the laws.
