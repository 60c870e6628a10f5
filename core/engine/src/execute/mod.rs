//! Executing a plan's steps.

mod report;

use std::time::Duration;

use strat_model::Inventory;
use strat_planner::{Plan, StepGraph};
use strat_provider::Clock;

pub use report::{Counts, OfferRef, Outcome, Report, StepReport};

use crate::{EventSink, Journal, LeaseGuard, Operation, Sites, Stop, UserDataSource};

/// Bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecuteOptions {
    /// The most calls in flight. Waiting for a thing to be ready is no call.
    pub parallelism: usize,
    /// The most calls in flight at one site.
    pub site_parallelism: usize,
    /// How long one thing may take to be ready, or gone.
    pub wait_deadline: Duration,
    /// How long a delete is repeated while what uses the thing goes away.
    pub conflict_deadline: Duration,
}

impl Default for ExecuteOptions {
    fn default() -> Self {
        Self {
            parallelism: 16,
            site_parallelism: 16,
            wait_deadline: Duration::from_secs(20 * 60),
            conflict_deadline: Duration::from_secs(3 * 60),
        }
    }
}

/// What a run needs.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// The same as steps.
    pub graph: &'a StepGraph,
    /// The connected sites.
    pub sites: &'a Sites,
    /// What there is: the inventory that the plan was made from, or a later one.
    pub inventory: &'a Inventory,
    /// The texts of user data.
    pub user_data: &'a UserDataSource,
    /// Where each call is recorded before it is made.
    pub journal: &'a Journal,
    /// The right to write.
    pub lease: &'a LeaseGuard,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Who wants to know.
    pub events: &'a EventSink,
    /// Who may end it early.
    pub stop: &'a Stop,
    /// Its bounds.
    pub options: ExecuteOptions,
}

/// Executes a plan's steps.
pub async fn execute(run: Run<'_>) -> Report {
    let steps = run.graph.steps.iter().map(|step| {
        let change = &run.plan.changes[step.change];
        StepReport {
            step: step.id,
            addr: step.addr.clone(),
            site: step.site.clone(),
            action: change.action,
            operation: Operation::from(&step.op),
            count: 1,
            offer: None,
            outcome: Outcome::NotStarted,
            made: Vec::new(),
        }
    });
    Report {
        steps: steps.collect(),
        counts: Counts::default(),
        interrupted: true,
        fatal: None,
    }
}
