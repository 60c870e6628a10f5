//! Executing a plan's steps.

mod change;
mod context;
mod create;
mod delete;
mod known;
mod report;
mod schedule;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use strat_model::{Error, ErrorKind, Inventory, ResourceId, Scope};
use strat_planner::{Plan, Step, StepGraph, StepId, StepOp};
use strat_provider::Clock;

pub use report::{Counts, OfferRef, Outcome, Report, StepReport};

use context::{Context, Failure, StepRun, count_of};
use create::Wanted;
use schedule::{Schedule, Slot, Slots};

use crate::{
    Event, EventSink, Journal, LeaseGuard, Operation, RunRecord, Sites, Stop, StopLevel,
    UserDataSource,
};

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

/// Executes a plan's steps, as many at once as the options allow, those first that most others
/// wait for.
///
/// # Guarantees
///
/// - A create is on disk in the journal before it is called. One whose answer did not come is
///   looked up by name before it counts as failed.
/// - What is changed or deleted is read afresh first and compared with what the plan assumed; a
///   difference stops that step. A delete needs two keys besides.
/// - A failed step stops what depends on it. Bad credentials stop their site. Only a lost lease
///   and a journal that cannot be written stop everything.
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
    let no_lease = |why| Error::new(ErrorKind::Precondition, "nothing was begun").with_source(why);
    let lease = run.lease.check().map_err(no_lease)?;
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
    let unwritable = |why| Error::new(ErrorKind::Internal, "nothing was begun").with_source(why);
    run.journal.run_started(record).await.map_err(unwritable)
}

/// How a step came out.
struct End {
    step: StepId,
    outcome: Result<(), Failure>,
    made: Vec<ResourceId>,
}

struct Execution<'a> {
    run: &'a Run<'a>,
    schedule: Schedule<'a>,
    report: Report,
}

impl<'a> Execution<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        let steps = run.graph.steps.iter().map(|step| blank(run.plan, step));
        Self {
            run,
            schedule: Schedule::new(run.graph),
            report: Report {
                steps: steps.collect(),
                counts: Counts::default(),
                interrupted: false,
                fatal: None,
            },
        }
    }

    /// Runs steps until none can run any more.
    async fn drive(&mut self) {
        let run = self.run;
        let context = Context::new(*run);
        let slots = Slots::new(run.options.parallelism, run.options.site_parallelism);
        let mut running = FuturesUnordered::new();
        let mut stopping = false;
        loop {
            while !stopping && self.report.fatal.is_none() {
                let next = self.schedule.take(|site| slots.take(site));
                let Some((id, slot)) = next else { break };
                let step = &run.graph.steps[id.index()];
                self.tell_started(step);
                // What is dropped from here on was begun.
                self.report.steps[id.index()].outcome = Outcome::Abandoned;
                running.push(run_step(&context, step, slot));
            }
            if running.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = run.stop.reached(StopLevel::Abandon) => return,
                () = run.stop.reached(StopLevel::Finish), if !stopping => {
                    stopping = true;
                    run.events.send(Event::Stopping);
                }
                Some(end) = running.next() => self.ended(end),
                () = slots.freed() => {}
            }
        }
    }

    fn ended(&mut self, end: End) {
        let step = &self.run.graph.steps[end.step.index()];
        self.report.steps[end.step.index()].made = end.made;
        let outcome = match end.outcome {
            Ok(()) => {
                self.schedule.done(step.id);
                self.tell_finished(step);
                Outcome::Done
            }
            Err(Failure::Abandoned) => Outcome::Abandoned,
            Err(Failure::Fatal(error)) => {
                let error = Arc::new(error);
                self.report.fatal.get_or_insert_with(|| Arc::clone(&error));
                self.failed(step, &error);
                Outcome::Failed(error)
            }
            Err(Failure::Error(error)) => {
                let error = Arc::new(error);
                self.failed(step, &error);
                Outcome::Failed(error)
            }
        };
        self.report.steps[end.step.index()].outcome = outcome;
    }

    fn failed(&mut self, step: &Step, error: &Error) {
        self.run.events.send(Event::StepFailed {
            step: step.id.0,
            addr: step.addr.clone(),
            site: step.site.clone(),
            operation: Operation::from(&step.op),
            kind: error.kind(),
            error: error.to_string(),
        });
        let mut skipped = self.schedule.failed(step.id);
        let denied = matches!(
            error.kind(),
            ErrorKind::Unauthenticated | ErrorKind::Forbidden
        );
        if denied && error.scope() >= Scope::Account {
            skipped.extend(self.schedule.close_site(&step.site));
        }
        for id in skipped {
            let left_out = &mut self.report.steps[id.index()];
            let because = step.addr.clone();
            self.run.events.send(Event::StepSkipped {
                step: id.0,
                addr: left_out.addr.clone(),
                site: left_out.site.clone(),
                because: because.clone(),
            });
            left_out.outcome = Outcome::Skipped { because };
        }
    }

    fn tell_started(&self, step: &Step) {
        self.run.events.send(Event::StepStarted {
            step: step.id.0,
            addr: step.addr.clone(),
            site: step.site.clone(),
            operation: Operation::from(&step.op),
            count: count_of(&step.op),
        });
    }

    fn tell_finished(&self, step: &Step) {
        self.run.events.send(Event::StepFinished {
            step: step.id.0,
            addr: step.addr.clone(),
            site: step.site.clone(),
            operation: Operation::from(&step.op),
            count: count_of(&step.op),
        });
    }

    /// Counts, and records how the run ended.
    async fn finish(mut self) -> Report {
        let mut counts = Counts::default();
        for step in &self.report.steps {
            match &step.outcome {
                Outcome::Done => counts.done += 1,
                Outcome::Failed(_) => counts.failed += 1,
                Outcome::Skipped { .. } => counts.skipped += 1,
                Outcome::NotStarted | Outcome::Abandoned => counts.stopped += 1,
            }
        }
        self.report.counts = counts;
        let run = self.run;
        self.report.interrupted = counts.stopped > 0 && run.stop.level() != StopLevel::Run;
        if self.report.fatal.is_none() {
            let (now, interrupted) = (run.clock.now(), self.report.interrupted);
            let recorded = run
                .journal
                .run_finished(now, &run.plan.id, counts, interrupted);
            if let Err(why) = recorded.await {
                let what = "the end of the run cannot be recorded";
                let error = Error::new(ErrorKind::Internal, what).with_source(why);
                self.report.fatal = Some(Arc::new(error));
            }
        }
        run.events.send(Event::RunFinished {
            done: counts.done,
            failed: counts.failed,
            skipped: counts.skipped,
            stopped: counts.stopped,
        });
        self.report
    }
}

/// The report of a step that has not begun.
fn blank(plan: &Plan, step: &Step) -> StepReport {
    let change = plan.changes.get(step.change);
    let offer = match &step.op {
        StepOp::Create { goal, .. } => change
            .and_then(|change| change.goals.get(*goal))
            .and_then(|goal| OfferRef::of(&goal.spec)),
        _ => None,
    };
    StepReport {
        step: step.id,
        addr: step.addr.clone(),
        site: step.site.clone(),
        action: change.map_or(strat_planner::Action::NoOp, |change| change.action),
        operation: Operation::from(&step.op),
        count: count_of(&step.op),
        offer,
        outcome: Outcome::NotStarted,
        made: Vec::new(),
    }
}

async fn run_step<'a>(context: &Context<'a>, step: &'a Step, slot: Slot) -> End {
    let mut end = End {
        step: step.id,
        outcome: Ok(()),
        made: Vec::new(),
    };
    match StepRun::new(context, step, slot) {
        Ok(mut running) => {
            end.outcome = running.operate().await;
            end.made = running.made;
        }
        Err(error) => end.outcome = Err(Failure::Error(error.with_addr(&step.addr))),
    }
    end
}

impl StepRun<'_, '_> {
    async fn operate(&mut self) -> Result<(), Failure> {
        if self.change.protected {
            let what = "it is protected; help: set `protect = false`, apply that, then try again";
            return Err(self.error(ErrorKind::Precondition, what).into());
        }
        match &self.step.op {
            StepOp::Create {
                goal,
                count,
                generation,
                part,
                without,
            } => {
                let wanted = Wanted {
                    goal: *goal,
                    count: *count,
                    generation: *generation,
                    part: *part,
                    without,
                };
                self.create(wanted).await
            }
            StepOp::Update {
                target,
                goal,
                fields,
            } => self.update(target.as_ref(), *goal, fields).await,
            StepOp::Attach { target, goal } => self.attach(target.as_ref(), *goal).await,
            StepOp::Detach { target } => self.detach(target).await,
            StepOp::Start { targets } => self.start(targets).await,
            StepOp::Delete { targets } => self.delete(targets).await,
        }
    }
}
