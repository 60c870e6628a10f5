//! Executing a plan's steps.

mod change;
mod consent;
mod context;
mod create;
mod delete;
mod drive;
mod empty;
mod known;
mod probe;
mod readiness;
mod report;
mod restart;
mod schedule;
mod shutdown;
mod spending;
mod step;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use strat_model::{Error, Inventory};
use strat_planner::{Plan, StepGraph};
use strat_provider::Clock;

pub use consent::Consent;
pub use report::{Counts, OfferRef, Outcome, Report, StepReport};
pub use spending::Spending;

use drive::Execution;

use crate::{
    Event, EventSink, HealthProbe, HeldLeases, Journal, RunRecord, Sites, Stop, UserDataSource,
};

/// Bounds of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecuteOptions {
    /// The most calls in flight. Waiting for a thing to be ready is no call.
    pub parallelism: usize,
    /// The most calls in flight at one site; `None` is as many as in all.
    pub site_parallelism: Option<usize>,
    /// How long one thing may take to be ready, or gone.
    pub wait_deadline: Duration,
    /// How long a machine may take to shut down.
    pub stop_deadline: Duration,
    /// Whether fleets' machines are waited for until they are ready. A burst does not: it counts those
    /// that boot, and decides again meanwhile.
    pub await_fleets: bool,
    /// How long a delete is repeated while what uses the thing goes away.
    pub conflict_deadline: Duration,
}

impl Default for ExecuteOptions {
    fn default() -> Self {
        Self {
            parallelism: 16,
            site_parallelism: None,
            wait_deadline: Duration::from_secs(20 * 60),
            stop_deadline: Duration::from_secs(5 * 60),
            await_fleets: true,
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
    /// What was agreed to by name.
    pub consent: &'a Consent,
    /// What budgets have left.
    pub spending: &'a Spending,
    /// The right to write.
    pub leases: &'a HeldLeases,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Who wants to know.
    pub events: &'a EventSink,
    /// Who asks machines whether they do their work.
    pub health: &'a dyn HealthProbe,
    /// Who may end it early.
    pub stop: &'a Stop,
    /// Its bounds.
    pub options: ExecuteOptions,
}

/// Executes a plan's steps, as many at once as the options allow, those first that most others
/// wait for.
///
/// # Guarantees
///
/// - A create is on disk in the journal before it is called. One whose answer did not come is
///   looked up by name before it counts as failed.
/// - What is changed or deleted is read afresh first and compared with what the plan assumed; a
///   difference stops that step. A delete needs two keys besides.
/// - A failed step stops what depends on it. Bad credentials and a lost lease stop their site. Only
///   a lost lease of the folder and a journal that cannot be written stop everything.
/// - Nothing is undone: a second apply finishes the work.
///
/// # Caveats
///
/// - Dropped, it leaves calls in flight whose outcome nobody knows; [`settle`](crate::settle)
///   finds out.
/// - It never moves a thing to another offer. The report says which offer was out of capacity, for
///   the next plan to avoid.
pub async fn execute(run: Run<'_>) -> Report {
    let mut execution = Execution::new(&run);
    if run.graph.steps.is_empty() {
        return execution.report;
    }
    run.events.send(Event::RunStarted {
        plan: run.plan.id.clone(),
        steps: run.graph.steps.len(),
    });
    if let Err(error) = begin(&run).await {
        execution.report.fatal = Some(Arc::new(error));
    } else {
        execution.drive().await;
    }
    execution.finish().await
}

/// Records that the run begins.
async fn begin(run: &Run<'_>) -> Result<(), Error> {
    let lease = run.leases.folder();
    let lease = lease.map_err(|why| why.within("nothing was begun"))?;
    let record = RunRecord {
        plan: run.plan.id.clone(),
        owner: run.plan.topology.clone(),
        holder: lease.holder.who(),
        command: lease.holder.command.clone(),
        generation: lease.generation,
        started: run.clock.now(),
        finished: None,
        interrupted: false,
    };
    let recorded = run.journal.run_started(record).await;
    recorded.map_err(|why| why.within("nothing was begun"))
}
