//! One step on its way: what all operations have in common.

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Error, ErrorKind, Mark, Resource, ResourceId, ResourceState, Result, Token};
use strat_planner::{Change, Goal, Step, StepOp, TargetRef};
use strat_provider::Provider;
use strat_provider::layers::is_outcome_unknown;

use super::context::{Context, Failure};
use super::create::Wanted;
use super::schedule::Slot;
use super::wait::Until;
use crate::{CallFailure, EntryId, Event, JournalError, Operation, Started, StopLevel, lock};

/// After how long a step that waits tells so again: at first, and at most.
const TELL: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

/// What to do about a thing that is not as the plan assumes.
pub(super) const PLAN_AGAIN: &str = "plan again";

/// One step on its way.
pub(super) struct StepRun<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    pub(super) step: &'a Step,
    pub(super) change: &'a Change,
    pub(super) provider: &'a dyn Provider,
    /// Given back when the step begins to wait.
    slot: Option<Slot>,
    /// What it made so far.
    pub(super) made: Vec<ResourceId>,
    /// How many of those died as they were launched, because there were no more.
    pub(super) lost: u32,
    /// What it deleted so far, and when its cloud had agreed to that.
    pub(super) deleted: Vec<(ResourceId, Timestamp)>,
}

impl<'c, 'a> StepRun<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, step: &'a Step, slot: Slot) -> Result<Self> {
        let change = context.run.plan.changes.get(step.change);
        let change = change.ok_or_else(|| {
            let what = "a step belongs to a change that the plan does not have";
            Error::new(ErrorKind::Internal, what)
        })?;
        Ok(Self {
            context,
            step,
            change,
            provider: context.provider(&step.site)?,
            slot: Some(slot),
            made: Vec::new(),
            lost: 0,
            deleted: Vec::new(),
        })
    }

    pub(super) fn operation(&self) -> Operation {
        Operation::from(&self.step.op)
    }

    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).with_addr(&self.step.addr)
    }

    pub(super) fn goal(&self, goal: usize) -> Result<&'a Goal> {
        let missing = || {
            self.error(
                ErrorKind::Internal,
                "a step has a goal that its change lacks",
            )
        };
        let goal = self.change.goals.get(goal);
        goal.map(|goal| &**goal).ok_or_else(missing)
    }

    /// Records on disk that a call is about to be made.
    pub(super) async fn begin(&self, what: Begin<'_>) -> Result<EntryId, Failure> {
        self.context.check_leases(&self.step.site)?;
        let run = &self.context.run;
        let started = Started {
            at: run.clock.now(),
            plan: run.plan.id.clone(),
            step: self.step.id.0,
            owner: run.plan.topology.clone(),
            addr: self.step.addr.clone(),
            site: self.step.site.clone(),
            kind: self.step.kind,
            operation: self.operation(),
            generation: what.generation,
            token: what.token.cloned(),
            names: what.names.to_vec(),
            spec: what.spec.to_owned(),
            ids: what.ids.to_vec(),
        };
        let entry = run.journal.started(started).await.map_err(unwritable)?;
        // Writing took time. If the lease went in it, the entry stays open and the next run
        // settles it.
        self.context.check_leases(&self.step.site)?;
        Ok(entry)
    }

    /// Records what came of a call, and hands it on.
    pub(super) async fn end<T>(
        &self,
        entry: EntryId,
        outcome: Result<T>,
        made: impl FnOnce(&T) -> Vec<ResourceId>,
    ) -> Result<T, Failure> {
        let run = &self.context.run;
        let now = run.clock.now();
        match outcome {
            Ok(value) => {
                let made = made(&value);
                let written = run.journal.succeeded(now, entry, made).await;
                written.map_err(unwritable)?;
                Ok(value)
            }
            Err(error) => {
                self.fail(entry, &error, outcome_is_unknown(&error)).await?;
                Err(Failure::Error(error.with_addr(&self.step.addr)))
            }
        }
    }

    pub(super) async fn fail(
        &self,
        entry: EntryId,
        error: &Error,
        unknown: bool,
    ) -> Result<(), Failure> {
        let run = &self.context.run;
        let failure = CallFailure::of(error, unknown);
        let written = run.journal.failed(run.clock.now(), entry, failure);
        written.await.map_err(unwritable)
    }

    /// Waits for `ids`, gives the slot back first, and ends early when a stop is asked for.
    pub(super) async fn wait(
        &mut self,
        ids: &[ResourceId],
        until: &Until,
    ) -> Result<Vec<Option<Resource>>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.rest(ids.len());
        let (context, step) = (self.context, self.step);
        tokio::select! {
            biased;
            seen = context.waits.wait(&step.site, step.kind, ids, until) => {
                Ok(seen.map_err(|error| error.with_addr(&step.addr))?)
            }
            () = context.run.stop.reached(StopLevel::Finish) => Err(Failure::Abandoned),
            never = self.tell(ids.len()) => match never {},
        }
    }

    /// The same, and what became of each, however it goes with the others.
    pub(super) async fn wait_each(
        &mut self,
        ids: &[ResourceId],
        until: &Until,
    ) -> Result<Vec<Result<Option<Resource>>>, Failure> {
        self.rest(ids.len());
        let (context, step) = (self.context, self.step);
        tokio::select! {
            biased;
            seen = context.waits.wait_each(&step.site, step.kind, ids, until) => Ok(seen),
            () = context.run.stop.reached(StopLevel::Finish) => Err(Failure::Abandoned),
            never = self.tell(ids.len()) => match never {},
        }
    }

    /// Sleeps, likewise.
    pub(super) async fn sleep(&mut self, pause: Duration) -> Result<(), Failure> {
        self.slot = None;
        tokio::select! {
            () = self.context.run.clock.sleep(pause) => Ok(()),
            () = self.context.run.stop.reached(StopLevel::Finish) => Err(Failure::Abandoned),
        }
    }

    /// The calls are made; what is left is waiting.
    pub(super) fn rest(&mut self, waiting: usize) {
        if self.slot.take().is_some() {
            self.progress(waiting, 0);
        }
    }

    /// Tells again and again that it waits, for as long as it is polled.
    async fn tell(&self, waiting: usize) -> Infallible {
        let clock = &self.context.run.clock;
        let (begun, mut pause) = (clock.moment().elapsed, TELL.0);
        loop {
            clock.sleep(pause).await;
            let waited = clock.moment().elapsed.saturating_sub(begun);
            self.progress(waiting, waited.as_secs());
            pause = (pause * 2).min(TELL.1);
        }
    }

    fn progress(&self, waiting: usize, waited_s: u64) {
        self.context.run.events.send(Event::StepProgress {
            step: self.step.id.0,
            addr: self.step.addr.clone(),
            site: self.step.site.clone(),
            operation: self.operation(),
            waiting,
            waited_s,
        });
    }

    /// Reads targets afresh and makes sure that they are what the plan assumes. What is not there
    /// any more is an error.
    pub(super) async fn read_expected(&self, targets: &[TargetRef]) -> Result<Vec<Resource>> {
        let ids: Vec<ResourceId> = targets.iter().map(|target| target.id.clone()).collect();
        let (site, kind) = (&self.step.site, self.step.kind);
        let fresh = self.context.read(site, kind, &ids).await;
        let fresh = fresh.map_err(|error| error.with_addr(&self.step.addr))?;
        let pairs = targets.iter().zip(fresh);
        pairs
            .map(|(target, fresh)| {
                let gone = || {
                    let what = format!("{kind} {} is not there any more", target.id);
                    self.error(ErrorKind::Precondition, what)
                        .with_help(PLAN_AGAIN)
                };
                let fresh = fresh.filter(|fresh| fresh.state != ResourceState::Deleting);
                let fresh = fresh.ok_or_else(gone)?;
                self.expect(target, &fresh)?;
                Ok(fresh)
            })
            .collect()
    }

    /// Compare, of compare-and-set.
    pub(super) fn expect(&self, target: &TargetRef, fresh: &Resource) -> Result<()> {
        if lock(&self.context.known).is_expected(&self.step.site, target, fresh) {
            return Ok(());
        }
        let what = format!(
            "{} {} (`{}`) changed since the plan was made",
            self.step.kind, target.id, target.name
        );
        Err(self
            .error(ErrorKind::Precondition, what)
            .with_help(PLAN_AGAIN))
    }

    /// Takes note of what our own write left.
    pub(super) fn wrote(&self, resource: &Resource) {
        let mut known = lock(&self.context.known);
        known.wrote(&self.step.site, resource);
        known.learn(&self.step.addr, resource.clone());
    }
}

/// What is recorded of a call before it is made.
#[derive(Debug, Default)]
pub(super) struct Begin<'b> {
    pub(super) generation: u64,
    pub(super) token: Option<&'b Token>,
    pub(super) names: &'b [String],
    pub(super) spec: &'b str,
    pub(super) ids: &'b [ResourceId],
}

impl<'b> Begin<'b> {
    /// A call that brings some things to a mark.
    pub(super) fn change(ids: &'b [ResourceId], mark: &'b Mark) -> Self {
        Self {
            generation: mark.generation,
            spec: &mark.spec,
            ids,
            ..Self::default()
        }
    }
}

pub(super) fn unwritable(why: JournalError) -> Failure {
    let message = "what is about to be done cannot be recorded, so nothing more is done";
    Failure::Fatal(why.within(message))
}

/// Whether a call that failed like this may have been carried out all the same.
pub(super) fn outcome_is_unknown(error: &Error) -> bool {
    // What the retry layer gave up on may have been carried out by an earlier attempt.
    if is_outcome_unknown(error) {
        return true;
    }
    match error.kind() {
        // An answer that could not be understood is no answer.
        ErrorKind::Timeout | ErrorKind::Transient | ErrorKind::Internal => true,
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Precondition
        | ErrorKind::Throttled
        | ErrorKind::Capacity
        | ErrorKind::Quota
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Unsupported => false,
    }
}

impl StepRun<'_, '_> {
    /// Does what the step is for.
    pub(super) async fn operate(&mut self) -> Result<(), Failure> {
        if self.change.protected {
            let protected = self.error(ErrorKind::Precondition, "it is protected");
            let help = "set `protect = false`, apply that, then try again";
            return Err(protected.with_help(help).into());
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
            StepOp::Restart {
                target,
                goal,
                fields,
            } => self.restart(target, *goal, fields).await,
            StepOp::Attach { target, goal } => self.attach(target.as_ref(), *goal).await,
            StepOp::Rename { target } => self.rename(target).await,
            StepOp::Release { target } => self.release(target).await,
            StepOp::ClearRules { target } => self.clear_rules(target).await,
            StepOp::Detach { target } => self.detach(target).await,
            StepOp::Stop { targets } => self.stop(targets).await,
            StepOp::Start { targets } => self.start(targets).await,
            StepOp::Probe { made, ids, health } => self.probe(made, ids, health.as_ref()).await,
            StepOp::Delete { targets } => self.delete(targets).await,
        }
    }
}

/// To how many things a step's operation is done.
pub(super) const fn count_of(op: &StepOp) -> u32 {
    match op {
        StepOp::Create { count, .. } => *count,
        StepOp::Update { .. }
        | StepOp::Rename { .. }
        | StepOp::Release { .. }
        | StepOp::Restart { .. }
        | StepOp::ClearRules { .. }
        | StepOp::Attach { .. }
        | StepOp::Detach { .. } => 1,
        // What a step made is counted where it was made.
        StepOp::Probe { .. } => 0,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a step is at most one batch"
        )]
        StepOp::Stop { targets } | StepOp::Start { targets } | StepOp::Delete { targets } => {
            targets.len() as u32
        }
    }
}
