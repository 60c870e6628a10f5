//! Observe, execute, journal, lease and resume.
