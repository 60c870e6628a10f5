//! Stratiform as a library.

pub use strat_engine as engine;
pub use strat_model as model;
pub use strat_planner as planner;
pub use strat_provider as provider;
pub use strat_topology as topology;

pub use strat_planner::Target;
