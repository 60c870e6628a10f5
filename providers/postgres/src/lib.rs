//! Leases in a table of PostgreSQL, for topologies that keep theirs there.
//!
//! The table is made once: a row for each lease. Taking a lease that nobody ever had is `INSERT … ON
//! CONFLICT DO NOTHING`; renewing it, giving it back or taking it over is `UPDATE … WHERE version =
//! …`. Each is one statement, atomic at any isolation level, and nothing is ever deleted. There is
//! no function, trigger or session lock in the server: a lease outlives the connection that took it,
//! and poolers may stand in between.

mod connection;
mod error;
mod factory;
mod leases;
mod password;
mod settings;
mod tls;

pub use factory::PostgresFactory;
pub use leases::PostgresLeases;
