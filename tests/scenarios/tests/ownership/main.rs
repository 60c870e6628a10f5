//! Whose a thing is: every row of the planner's table, on the simulator's clouds.

mod common;
mod copies;
mod elsewhere;
mod fresh;
mod hosts;
mod lost;
mod reasons;
mod released;
mod renames;
mod sizes;
mod storms;
