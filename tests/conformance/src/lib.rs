//! One conformance suite, run on every provider.
