//! The loop of a run: which steps begin, and what follows from how they end.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use strat_model::{Error, ErrorKind, ResourceId, Scope, Spec};
use strat_planner::{Plan, Step, StepId, StepOp};
use strat_provider::layers::is_lease_lost;

use super::context::{Context, Failure};
use super::schedule::{Schedule, Slot, Slots};
use super::step::{StepRun, count_of};
use super::{Counts, OfferRef, Outcome, Report, Run, StepReport};
use crate::{Event, Operation, StopLevel, lock};

/// How a step came out.
struct End {
    step: StepId,
    outcome: Result<(), Failure>,
    made: Vec<ResourceId>,
    lost: u32,
    deleted: Vec<(ResourceId, Timestamp)>,
}

/// A run on its way.
pub(super) struct Execution<'a> {
    run: &'a Run<'a>,
    schedule: Schedule<'a>,
    pub(super) report: Report,
}

impl<'a> Execution<'a> {
    pub(super) fn new(run: &'a Run<'a>) -> Self {
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
    pub(super) async fn drive(&mut self) {
        let run = self.run;
        let context = Context::new(*run);
        let most = run.options.parallelism;
        let slots = Slots::new(most, run.options.site_parallelism.unwrap_or(most));
        let mut running = FuturesUnordered::new();
        let mut stopping = false;
        loop {
            while !stopping && self.report.fatal.is_none() {
                let next = self.schedule.take(&slots);
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
        let report = &mut self.report.steps[end.step.index()];
        report.made = end.made;
        report.lost = end.lost;
        report.deleted = end.deleted;
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
            error: Box::new(error.view()),
        });
        let mut skipped = self.schedule.failed(step.id);
        let denied = matches!(
            error.kind(),
            ErrorKind::Unauthenticated | ErrorKind::Forbidden
        );
        // Nobody else's lease is touched by that: the other sites go on.
        if is_lease_lost(error) || (denied && error.scope() >= Scope::Account) {
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
    pub(super) async fn finish(mut self) -> Report {
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
                self.report.fatal = Some(Arc::new(why.within(what)));
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
    let machine = match &step.op {
        StepOp::Create { goal, .. } | StepOp::Restart { goal, .. } => {
            change.and_then(|change| change.goals.get(*goal))
        }
        _ => None,
    };
    let offer = machine.and_then(|goal| OfferRef::of(&goal.spec));
    let subnet = machine.and_then(|goal| match &goal.spec {
        Spec::Machine(spec) => Some(spec.subnet.clone()),
        _ => None,
    });
    StepReport {
        step: step.id,
        addr: step.addr.clone(),
        site: step.site.clone(),
        action: change.map_or(strat_planner::Action::NoOp, |change| change.action),
        operation: Operation::from(&step.op),
        count: count_of(&step.op),
        offer,
        subnet,
        outcome: Outcome::NotStarted,
        made: Vec::new(),
        lost: 0,
        deleted: Vec::new(),
    }
}

async fn run_step<'a>(context: &Context<'a>, step: &'a Step, slot: Slot) -> End {
    let mut end = End {
        step: step.id,
        outcome: Ok(()),
        made: Vec::new(),
        lost: 0,
        deleted: Vec::new(),
    };
    match StepRun::new(context, step, slot) {
        Ok(mut running) => {
            end.outcome = running.operate().await;
            end.made = running.made;
            end.lost = running.lost;
            end.deleted = running.deleted;
            lock(&context.made).insert(step.id, end.made.clone());
        }
        Err(error) => end.outcome = Err(Failure::Error(error.with_addr(&step.addr))),
    }
    end
}
