//! One writer: leases of places, from folders that know nothing of each other.

mod elsewhere;
mod late;
mod locks;
mod places;
mod together;
