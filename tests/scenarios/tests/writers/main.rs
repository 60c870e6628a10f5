//! One writer: leases of places, from folders that know nothing of each other.

mod elsewhere;
mod places;
mod together;
