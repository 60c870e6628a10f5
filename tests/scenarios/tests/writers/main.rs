//! One writer: leases of places, from folders that know nothing of each other.

mod places;
mod together;
