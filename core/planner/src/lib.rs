//! Planning, pure: where things go, what differs, in which order.
//!
//! [`place`] turns an [`Intent`](strat_model::Intent) into a [`Desired`] with no choice left in
//! it, [`diff`] compares that with an [`Inventory`](strat_model::Inventory) and gives a [`Plan`],
//! [`lower`] turns the plan into a [`StepGraph`]. All are plain synchronous functions: no I/O, no
//! clock, no randomness. The same arguments give the same bytes.

mod allot;
mod bill;
mod cidr;
mod claims;
mod cost;
mod dependency;
mod desired;
mod diff;
mod edits;
mod given;
mod index;
mod left;
mod lint;
mod lower;
mod naming;
mod place;
mod plan;
mod reach;
mod room;
mod scale;
mod step;
mod stock;
mod target;
mod unseen;
mod view;
mod waves;

pub use bill::{BudgetState, Cost, CostRange, SiteCost};
pub use cidr::{check_address_space, site_slices};
pub use cost::HOURS_A_MONTH;
pub use dependency::Dependency;
pub use desired::{Desired, Entry, Goal, HeldCount};
pub use diff::{Applied, DiffOptions, diff};
pub use edits::{CannotAdopt, Claims, Edit, Edits, claim, rename};
pub use given::GivenThing;
pub use index::InventoryIndex;
pub use left::{Reason, Refused, Way, Withheld};
pub use lint::{PlanFault, PlanRule, lint};
pub use lower::lower;
pub use naming::{fleet_names, resource_name};
pub use place::{
    Chosen, Considered, Explanation, FleetPlace, NoPlace, PlaceOptions, SiteExplanation,
    SiteRefusal, Unplaced, WhyNot, cheapest_offer, explain, fleet_places, place, place_with,
};
pub use plan::{
    Action, Cause, Change, DataLoss, FieldChange, Former, GoesFirst, Guard, Mode, Plan, Rename,
    ReplaceOrder, Rollout, Source, Summary, TargetRef,
};
pub use reach::{
    Admission, Crossing, Hop, HopAt, Passage, Passes, Question, RuleRef, Traffic, Unreachable,
    admissions, reach,
};
pub use scale::{Scale, ScalePlace};
pub use step::{Join, JoinId, Step, StepGraph, StepId, StepOp};
pub use stock::{MachineOffer, Shortage, StockBook, StockEntry};
pub use target::Target;
pub use view::View;
