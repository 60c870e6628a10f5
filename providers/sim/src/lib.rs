//! A simulated cloud with the failure modes of real ones.
