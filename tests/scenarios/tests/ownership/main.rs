//! Whose a thing is: every row of the planner's table, on the simulator's clouds.

mod common;
mod copies;
mod elsewhere;
mod fresh;
mod lost;
mod released;
mod renames;
mod sizes;
mod storms;
