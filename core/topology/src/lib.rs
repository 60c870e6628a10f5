//! The topology language: HCL, YAML and JSON to an evaluated intent.
