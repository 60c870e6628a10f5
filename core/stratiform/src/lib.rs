//! Stratiform as a library: load, plan, apply, observe.
