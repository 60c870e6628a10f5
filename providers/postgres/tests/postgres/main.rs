//! Leases in a real PostgreSQL, which `scripts/peers/postgres` installs and serves.

mod environment;
mod server;
mod store;
mod writers;
