//! What `apply` and `destroy` have in common: plan, ask, execute, report.

use std::collections::BTreeSet;
use std::sync::Arc;

use stratiform::answer::{Finding, Own, Told};
use stratiform::engine::ExecuteOptions;
use stratiform::model::{Diagnostic, ErrorView, Name, Severity};
use stratiform::policy::{judge, permits};
use stratiform::{
    AllowDataLoss, ApplyOptions, ApplyOutcome, Claims, Event, Mode, Plan, PlanOptions, Planned,
    Policies, Run, RunOptions, SavedPlan, Session, Stop, Verdict, Workspace, not_agreed,
    whole_destroy,
};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::args::{ApplyArgs, RecreateArgs};
use crate::confirm;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::policy::tell_warnings;
use crate::render;
use crate::render::diagnostics::told;
use crate::render::progress::Progress;
use crate::watch::{stoppable, watch};

/// One `apply` or `destroy`.
#[derive(Debug)]
pub(super) struct CarryOut<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a ApplyArgs,
    pub(super) json: bool,
    /// The verb, for who finds the lease held.
    pub(super) command: &'static str,
    /// What is asked before anything is changed.
    pub(super) question: &'static str,
}

impl CarryOut<'_> {
    /// Makes a plan, asks, and carries it out.
    pub(super) fn planning(
        &self,
        workspace: Workspace,
        options: &PlanOptions,
    ) -> Result<Exit, Failure> {
        confirm::possible(self.args.yes, self.command)?;
        if self.json && !self.args.yes {
            return Err(Failure::new("with --json nobody can be asked").help("add --yes"));
        }
        let policies = self.args.policy.read(self.context)?;
        self.context.block_on(async {
            let workspace = workspace.waiting_for_locks(self.args.lock_timeout);
            let (session, mut events) = self.context.connect(workspace).await?;
            let mut progress = Progress::new(&self.context.output);
            let begun = self
                .begin(&session, None, &mut events, &mut progress)
                .await?;
            let done = match self.forget_sites(&begun).await {
                Ok(()) => {
                    let told = (options, policies);
                    self.plan_and_apply(&begun, told, &session, &mut events, &mut progress)
                        .await
                }
                Err(failure) => Err(failure),
            };
            self.end(begun, done).await
        })
    }

    /// Carries out a plan that was made before.
    pub(super) fn saved(&self, workspace: Workspace, saved: &SavedPlan) -> Result<Exit, Failure> {
        let policies = self.args.policy.read(self.context)?;
        self.context.block_on(async {
            let workspace = workspace.waiting_for_locks(self.args.lock_timeout);
            let (session, mut events) = self.context.connect(workspace).await?;
            let mut progress = Progress::new(&self.context.output);
            let changes = saved.plan.changes.iter();
            let sites = changes.map(|change| change.addr.site.clone()).collect();
            let begun = self
                .begin(&session, Some(sites), &mut events, &mut progress)
                .await?;
            let options = ApplyOptions {
                policies,
                ..self.options()
            };
            let done = match self.tell_plan(&saved.plan) {
                Ok(()) => {
                    let work = begun.apply_saved(saved, &options);
                    let said = &saved.policy;
                    self.execute(
                        &options.stop,
                        work,
                        &session,
                        said,
                        &mut events,
                        &mut progress,
                    )
                    .await
                }
                Err(failure) => Err(failure),
            };
            self.end(begun, done).await
        })
    }

    async fn forget_sites(&self, run: &Run<'_>) -> Result<(), Failure> {
        for site in &self.args.forget.forgotten {
            let forgotten = run.forget_site(site).await;
            let count = forgotten.map_err(|error| self.context.failure(&error))?;
            let told = format!("Forgotten: {count} things at {site}.\n");
            self.context.output.note(&told);
        }
        Ok(())
    }

    async fn begin<'s>(
        &self,
        session: &'s Session,
        sites: Option<BTreeSet<Name>>,
        events: &mut UnboundedReceiver<Event>,
        progress: &mut Progress<'_>,
    ) -> Result<Run<'s>, Failure> {
        if !self.args.yes {
            self.ask_for_stores(session, sites.as_ref()).await?;
        }
        let options = RunOptions {
            lock_timeout: self.args.lock_timeout,
            sites,
            ..RunOptions::new(self.command)
        };
        watch(events, progress, session.begin(&options))
            .await
            .map_err(|error| self.context.failure(&error))
    }

    /// Asks before anything is made that leases are to be kept in, such as a bucket.
    async fn ask_for_stores(
        &self,
        session: &Session,
        sites: Option<&BTreeSet<Name>>,
    ) -> Result<(), Failure> {
        let missing = session
            .missing_lease_stores(|site| sites.is_none_or(|sites| sites.contains(site)))
            .await;
        if missing.is_empty() {
            return Ok(());
        }
        self.context
            .output
            .note(&render::plan::lease_stores(&missing));
        confirm::ask(&self.context.output, "Make that now?", "yes").await
    }

    /// Lets the lease go, whatever came before. The first failure is the one that is told.
    async fn end(&self, run: Run<'_>, done: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let ended = run
            .end()
            .await
            .map_err(|error| self.context.failure(&error));
        let exit = done?;
        ended?;
        Ok(exit)
    }

    async fn plan_and_apply(
        &self,
        run: &Run<'_>,
        (plan_options, policies): (&PlanOptions, Option<Arc<dyn Policies>>),
        session: &Session,
        events: &mut UnboundedReceiver<Event>,
        progress: &mut Progress<'_>,
    ) -> Result<Exit, Failure> {
        let mut planned = watch(events, progress, run.plan(plan_options))
            .await
            .map_err(|error| self.context.failure(&error))?;
        self.context.tell_problems(&planned.observation.problems);
        self.show(&planned)?;
        self.judge(&mut planned, policies.as_deref(), session)?;
        let mut options = ApplyOptions {
            policies,
            ..self.options()
        };
        if !self.args.yes {
            self.ask(&planned.saved, &mut options).await?;
        }
        let work = run.apply(&planned, &options);
        let said = &planned.saved.policy;
        self.execute(&options.stop, work, session, said, events, progress)
            .await
    }

    /// Holds the plan against the policies, before anybody is asked to agree to it.
    fn judge(
        &self,
        planned: &mut Planned,
        policies: Option<&dyn Policies>,
        session: &Session,
    ) -> Result<(), Failure> {
        let Some(policies) = policies else {
            return Ok(());
        };
        let workspace = session.workspace();
        let failure = |error| self.context.failure(&error);
        let said = judge(policies, planned, workspace).map_err(failure)?;
        tell_warnings(self.context, &said, &[], workspace);
        permits(&said, workspace).map_err(failure)?;
        planned.saved.policy = said;
        Ok(())
    }

    /// Asks, unless the plan is refused in any case. To destroy data the topology's name is typed.
    async fn ask(&self, saved: &SavedPlan, options: &mut ApplyOptions) -> Result<(), Failure> {
        let plan = &saved.plan;
        let (output, question) = (&self.context.output, self.question);
        let agreed = not_agreed(saved, &options.allow_data_loss).is_empty();
        let name = whole_destroy(saved).filter(|_| !agreed);
        let refused = plan.protected().next().is_some()
            || plan.over_budget().next().is_some()
            || (plan.guard.is_some() && !options.allow_deletes)
            || (!agreed && name.is_none());
        if refused || plan.is_empty() {
            return Ok(());
        }
        let Some(name) = name else {
            return confirm::ask(output, question, "yes").await;
        };
        confirm::ask(output, question, name.as_str()).await?;
        let all = AllowDataLoss::Topology(name.clone());
        options.allow_data_loss.push(all);
        Ok(())
    }

    /// Shows the plan: to people on stdout, and beside a JSON answer on stderr.
    fn show(&self, planned: &Planned) -> Result<(), Failure> {
        let output = &self.context.output;
        let (plan, detail) = (&planned.saved.plan, self.args.detail.detail());
        let part = render::left::part(&planned.saved.targets);
        if self.json {
            let width = output.stderr_width();
            output.note(&render::plan::plan(plan, detail, width));
            output.note(&render::outputs::planned(&planned.saved.outputs, width));
            output.note(&part);
            self.tell_plan(plan)
        } else {
            let width = output.width();
            output.data(&render::plan::plan(plan, detail, width))?;
            output.data(&render::outputs::planned(&planned.saved.outputs, width))?;
            output.data(&part)
        }
    }

    /// Writes the line of the plan that is carried out, where lines are asked for.
    fn tell_plan(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.context.output.streams() {
            return Ok(());
        }
        let planned = Own::Planned {
            plan: &plan.id,
            owner: &plan.topology,
            summary: plan.summary,
        };
        self.context.output.line(Told::Own(planned))
    }

    async fn execute(
        &self,
        stop: &Stop,
        work: impl Future<Output = Result<ApplyOutcome, stratiform::Error>>,
        session: &Session,
        said: &[Verdict],
        events: &mut UnboundedReceiver<Event>,
        progress: &mut Progress<'_>,
    ) -> Result<Exit, Failure> {
        let start = Instant::now();
        let outcome = watch(events, progress, stoppable(stop, work)).await;
        progress.clear();
        let Some(outcome) = outcome else {
            return self.stopped_at_once().map(|()| Exit::Interrupted);
        };
        let outcome = outcome.map_err(|error| self.context.failure(&error))?;
        tell_warnings(self.context, &outcome.policy, said, session.workspace());
        let findings = self.conditions(&outcome, session);
        let broken = findings.iter().any(|one| one.severity == Severity::Error);
        self.report(&outcome, session, findings, start.elapsed())?;
        Ok(if outcome.is_interrupted() {
            Exit::Interrupted
        } else if outcome.is_success() && !broken {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    /// Tells that calls in flight were dropped.
    fn stopped_at_once(&self) -> Result<(), Failure> {
        let output = &self.context.output;
        output.note(
            "Stopped at once; calls in flight were dropped. Apply again: it finds out what came of them.\n",
        );
        if !self.json {
            return Ok(());
        }
        let view = ErrorView::new("stopped", "stopped at once; calls in flight were dropped");
        let failure = Failure::told(view).help("apply again: it finds out what came of them");
        if output.streams() {
            return output.line(Told::Own(Own::Failed(&failure.answer())));
        }
        output.json(&failure.answer())
    }

    /// Tells of what the topology says must hold and does not, now that it is there.
    fn conditions(&self, outcome: &ApplyOutcome, session: &Session) -> Vec<Finding> {
        if self.command != "apply" || !outcome.is_success() {
            return Vec::new();
        }
        let workspace = session.workspace();
        let inventory = &outcome.observation.inventory;
        let found = workspace.evaluated().conditions(inventory);
        // What was known before was told before.
        let is_new = |finding: &&Diagnostic| !workspace.warnings().contains(finding);
        let found: Vec<Diagnostic> = found.iter().filter(is_new).cloned().collect();
        if !found.is_empty() {
            let look = self.context.look();
            let text = render::diagnostics::diagnostics(&found, workspace.sources(), look);
            self.context.output.note(&text);
        }
        let sources = workspace.sources();
        let found = found.iter().map(|one| told(one, sources));
        found.collect()
    }

    fn report(
        &self,
        outcome: &ApplyOutcome,
        session: &Session,
        findings: Vec<Finding>,
        took: std::time::Duration,
    ) -> Result<(), Failure> {
        let output = &self.context.output;
        self.context.tell_problems(&outcome.observation.problems);
        self.context.tell_problems(&outcome.unsettled);
        output.note(&render::report::report(
            outcome,
            self.command,
            took,
            output.stderr_width(),
        ));
        let outputs = session
            .workspace()
            .evaluated()
            .outputs(&outcome.observation.inventory);
        if self.json {
            let applied = render::report::applied(outcome, &outputs, findings);
            return match output.streams() {
                true => output.line(Told::Own(Own::Applied(&applied))),
                false => output.json(&applied),
            };
        }
        if outputs.is_empty() || self.command == "destroy" {
            return Ok(());
        }
        output.data(&render::outputs::outputs(&outputs, output.width()))
    }

    fn options(&self) -> ApplyOptions {
        ApplyOptions {
            allow_deletes: self.args.allow_deletes,
            allow_data_loss: self.args.allow_data_loss.clone(),
            force_stop: self.args.force_stop.clone(),
            stop: Stop::new(),
            execute: ExecuteOptions {
                parallelism: usize::from(self.args.parallelism),
                ..ExecuteOptions::default()
            },
            ..ApplyOptions::default()
        }
    }
}

/// What a person says of what is gone.
pub(super) fn claims(args: RecreateArgs) -> Claims {
    Claims {
        recreate: args.recreate,
        replace: args.replace,
        ..Claims::default()
    }
}

/// The options of a plan for everything, or for parts.
pub(super) fn plan_options(mode: Mode, targets: Vec<stratiform::Target>) -> PlanOptions {
    PlanOptions {
        mode,
        targets,
        ..PlanOptions::default()
    }
}
