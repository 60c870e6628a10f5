//! The runs of one file of tests, one after the other on one world.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use stratiform::engine::{Observation, Report};
use stratiform::model::{Diagnostic, ErrorView, Inventory, Origin};
use stratiform::policy::{input, judge, permits};
use stratiform::provider::{Clock as _, TokioClock};
use stratiform::topology::{Broken, Held, Sources, TestFile, TestRun, TestWords, Topology};
use stratiform::{
    ApplyOptions, ApplyOutcome, Error, EventSink, Inputs, PlanOptions, Planned, Policies,
    RunOptions, Session, StateDir, Workspace,
};

use super::report::RunReport;
use super::world::{Healthy, TestWorld};
use crate::args::TopologyArgs;
use crate::commands::sim::Line;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::inventory::shown;

/// What the runs of one file share.
pub(super) struct Stage<'a> {
    topology: &'a TopologyArgs,
    policies: Option<Arc<dyn Policies>>,
    test: &'a TestFile,
    sources: Sources,
    context: &'a Context,
    world: TestWorld,
    clock: Arc<TokioClock>,
}

/// What one run came to.
struct Done {
    workspace: Workspace,
    inputs: Inputs,
    planned: Planned,
    outcome: Option<ApplyOutcome>,
    /// What bursts would decide, by their names.
    decision: Value,
}

/// Why a run came to nothing.
enum Undone {
    /// The library refuses.
    Library(Error),
    /// Something else, such as a disturbance of nothing.
    Other(Failure),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        topology: &'a TopologyArgs,
        policies: Option<Arc<dyn Policies>>,
        test: &'a TestFile,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        Ok(Self {
            topology,
            policies,
            test,
            sources: Sources::from_files("", vec![test.file.clone()]),
            context,
            world: TestWorld::new()?,
            clock: Arc::new(TokioClock::starting_at(TokioClock::system().now())),
        })
    }

    /// Carries the runs out, up to and with the one at `last`. After one that fails the world is not
    /// what the others were written for: they are skipped.
    pub(super) fn play(&self, last: usize) -> Result<Vec<RunReport>, Failure> {
        // Time is virtual: whatever waits in a simulated cloud is over at once.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| Failure::new("no runtime could be started").caused_by(&error))?;
        runtime.block_on(async {
            let mut reports: Vec<RunReport> = Vec::new();
            for run in self.test.runs.iter().take(last + 1) {
                let mut report = RunReport {
                    name: run.name.clone(),
                    command: if run.applies { "apply" } else { "plan" },
                    passed: true,
                    skipped: false,
                    findings: Vec::new(),
                    error: None,
                    shown: Vec::new(),
                };
                if reports.iter().all(|report| report.passed) {
                    self.one(run, &mut report).await?;
                } else {
                    (report.passed, report.skipped) = (false, true);
                }
                reports.push(report);
            }
            Ok(reports)
        })
    }

    async fn one(&self, run: &TestRun, report: &mut RunReport) -> Result<(), Failure> {
        let done = self.carry_out(run).await;
        let codes = codes(&done);
        let expected = &run.expect_failures;
        if !expected.is_empty() {
            let missing: Vec<_> = expected
                .iter()
                .filter(|code| !codes.contains(*code))
                .collect();
            if !missing.is_empty() {
                let missing: Vec<_> = missing.iter().map(|code| format!("`{code}`")).collect();
                let came = match codes.is_empty() {
                    true => "and it succeeded".to_owned(),
                    false => {
                        let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
                        format!("and it failed by {}", codes.join(", "))
                    }
                };
                let what = format!("the run was to fail by {}, {came}", missing.join(", "));
                let finding = Diagnostic::error("expected_failure", what);
                report.found(vec![finding.at(&run.origin, "this run")], &self.sources);
            }
            return Ok(());
        }
        let done = match done {
            Ok(done) => done,
            Err(Undone::Library(error)) => {
                report.passed = false;
                match error.findings() {
                    Some((list, sources)) => report.found(list, sources),
                    None => report.error = Some(Failure::of_library(&error).view),
                }
                return Ok(());
            }
            Err(Undone::Other(failure)) => {
                report.passed = false;
                report.error = Some(failure.view);
                return Ok(());
            }
        };
        if let Some(outcome) = done.outcome.as_ref().filter(|one| !one.is_success()) {
            let failures = failures(outcome);
            let what = "not everything was carried out";
            let finding = Diagnostic::error("apply_failed", what).help(failures.join("; "));
            report.found(vec![finding.at(&run.origin, "this run")], &self.sources);
        }
        let broken = self.conditions(run, &done)?;
        for held in broken {
            self.tell(&held, report);
        }
        Ok(())
    }

    /// Loads, disturbs, plans, and applies where that is asked for.
    async fn carry_out(&self, run: &TestRun) -> Result<Done, Undone> {
        let inputs = self.inputs(run).map_err(Undone::Other)?;
        let registry = self.world.registry();
        let workspace = Workspace::load(&self.topology.path, inputs.clone(), registry.clone())?;
        let workspace = workspace.elsewhere(registry, StateDir::at(self.world.state()));
        let session = Session::connect_with(
            workspace.clone(),
            EventSink::none(),
            Arc::clone(&self.clock) as _,
        )
        .await?
        .with_health_probe(Arc::new(Healthy));
        self.disturb(run).map_err(Undone::Other)?;
        let options = PlanOptions::default();
        let (planned, outcome) = if run.applies {
            let begun = session.begin(&RunOptions::new("test")).await?;
            let done = match begun.plan(&options).await {
                Ok(planned) => {
                    let options = ApplyOptions {
                        policies: self.policies.clone(),
                        ..ApplyOptions::default()
                    };
                    let applied = begun.apply(&planned, &options).await;
                    applied.map(|outcome| (planned, Some(outcome)))
                }
                Err(error) => Err(error),
            };
            begun.end().await?;
            done?
        } else {
            let planned = session.plan(&options).await?;
            if let Some(policies) = &self.policies {
                let said = judge(&**policies, &planned, &workspace)?;
                permits(&said, &workspace)?;
            }
            stratiform::over_budget(&planned.saved.plan)?;
            (planned, None)
        };
        let seen = match &outcome {
            Some(outcome) => &outcome.observation,
            None => &planned.observation,
        };
        let decision = self.decide(run, &session, seen).await;
        Ok(Done {
            decision: decision.map_err(Undone::Other)?,
            workspace,
            inputs,
            planned,
            outcome,
        })
    }

    /// The values of variables: those of a run win, then those of its file, then the command line's and
    /// those beside the topology.
    fn inputs(&self, run: &TestRun) -> Result<Inputs, Failure> {
        let mut inputs = self
            .context
            .inputs(&self.topology.path, &self.topology.vars)?;
        let own = Inputs {
            var_files: run.values.clone(),
            ..Inputs::default()
        };
        let given = own.given_in_files();
        inputs.vars.retain(|name, _| !given.contains(name));
        inputs.var_files.extend(own.var_files);
        Ok(inputs)
    }

    /// Does to the world what the run says, before it looks at it.
    fn disturb(&self, run: &TestRun) -> Result<(), Failure> {
        let Some(control) = self.world.control() else {
            return Ok(());
        };
        for (text, origin) in &run.disturb {
            let place = self.place(origin);
            let done = Line::read(text);
            let output = &self.context.output;
            let done = done.and_then(|line| output.quietly(|| line.run(&control, self.context)));
            done.map_err(|failure| {
                let what = format!("the world cannot be disturbed by `{text}`{place}");
                let cause = failure.view.message.clone();
                let mut told = Failure::new(what);
                told.view.causes.push(cause);
                told.view.help = failure.view.help.clone();
                told
            })?;
        }
        Ok(())
    }

    /// What the bursts that a run names would decide.
    #[cfg(feature = "burst")]
    async fn decide(
        &self,
        run: &TestRun,
        session: &Session,
        seen: &Observation,
    ) -> Result<Value, Failure> {
        let mut decisions = Map::new();
        for asked in &run.bursts {
            let failed = |message: String, known: Vec<&str>| {
                let place = self.place(&asked.origin);
                let known = known.join(", ");
                Failure::new(format!("{message}{place}")).help(format!("there is: {known}"))
            };
            let intents = &session.workspace().intent().bursts;
            let own = intents.iter().find(|one| one.policy.name == asked.name);
            let Some(intent) = own else {
                let known = intents.iter().map(|one| one.policy.name.as_str());
                let what = format!("the topology has no burst `{}`", asked.name);
                return Err(failed(what, known.collect()));
            };
            let signals = || intent.policy.signals.iter().map(|one| one.name.as_str());
            let stranger = asked
                .values
                .keys()
                .find(|name| signals().all(|own| own != *name));
            if let Some(name) = stranger {
                let what = format!("the burst `{}` has no signal `{name}`", asked.name);
                return Err(failed(what, signals().collect()));
            }
            let decided = strat_burst::run::decide_once(session, seen, intent, &asked.values);
            let decided = decided.await.map_err(|error| Failure::of(&error))?;
            let decided = serde_json::to_value(decided);
            let decided = decided
                .map_err(|error| Failure::new("the decision has no JSON form").caused_by(&error))?;
            decisions.insert(asked.name.clone(), decided);
        }
        Ok(decisions.into())
    }

    #[cfg(not(feature = "burst"))]
    async fn decide(&self, run: &TestRun, _: &Session, _: &Observation) -> Result<Value, Failure> {
        match run.bursts.first() {
            None => Ok(Map::new().into()),
            Some(asked) => {
                let place = self.place(&asked.origin);
                let what = format!("this program was built without what decides for bursts{place}");
                Err(Failure::new(what).help("build it with the feature `burst`"))
            }
        }
    }

    /// ` (shop.test.hcl:4)`
    fn place(&self, origin: &Origin) -> String {
        let at = origin.start as usize;
        let place = self.sources.line_and_column(&origin.file, at);
        place.map_or_else(String::new, |(line, _)| {
            format!(" ({}:{line})", origin.file)
        })
    }

    fn conditions(&self, run: &TestRun, done: &Done) -> Result<Vec<Held>, Failure> {
        let topology = Topology::parse(done.workspace.sources());
        let topology = topology.map_err(|_| Failure::new("the topology changed meanwhile"))?;
        let inventory = match &done.outcome {
            Some(outcome) => &outcome.observation.inventory,
            None => &done.planned.observation.inventory,
        };
        let words = TestWords {
            plan: input(&done.planned, &done.workspace),
            output: outputs(&done.workspace, inventory),
            resources: resources(inventory)?,
            decision: done.decision.clone(),
        };
        let inputs = &done.inputs;
        Ok(topology.hold(inputs, Some(inventory), self.test, &run.name, &words))
    }

    fn tell(&self, held: &Held, report: &mut RunReport) {
        match &held.broken {
            None => {}
            Some(Broken::False { message, sides }) => {
                let what = message.as_deref().unwrap_or("the condition does not hold");
                let sides: Vec<_> = sides
                    .iter()
                    .map(|(written, is)| format!("{written} is {is}"))
                    .collect();
                let label = match sides.is_empty() {
                    true => "this is false".to_owned(),
                    false => sides.join("; "),
                };
                let finding = Diagnostic::error("assertion_failed", what);
                report.found(vec![finding.at(&held.origin, label)], &self.sources);
            }
            Some(Broken::Wrong(found)) => report.found(found.clone(), &self.sources),
        }
    }
}

/// The codes of all that a run failed by: of the error, of each finding, of each step.
fn codes(done: &Result<Done, Undone>) -> BTreeSet<String> {
    match done {
        Err(Undone::Library(error)) => {
            let found = error.findings().into_iter().flat_map(|(list, _)| list);
            let mut codes: BTreeSet<String> = found.map(|one| one.code).collect();
            codes.insert(error.kind().to_owned());
            codes
        }
        Err(Undone::Other(failure)) => BTreeSet::from([code(&failure.view)]),
        Ok(done) => {
            let outcome = done.outcome.as_ref().filter(|one| !one.is_success());
            let reports = outcome.into_iter().flat_map(|one| &one.reports);
            let failures = reports.flat_map(Report::failures);
            let mut codes: BTreeSet<String> =
                failures.map(|(_, error)| code(&error.view())).collect();
            codes.extend(outcome.map(|_| "apply_failed".to_owned()));
            codes
        }
    }
}

/// The kind of a failure, as JSON has it.
fn code(view: &ErrorView) -> String {
    let kind = serde_json::to_value(&view.kind).unwrap_or_default();
    kind.as_str().unwrap_or_default().to_owned()
}

/// What an apply did not do, in words.
fn failures(outcome: &ApplyOutcome) -> Vec<String> {
    let reports = outcome.reports.iter();
    let failed = reports.flat_map(Report::failures);
    let failed: BTreeSet<String> = failed
        .map(|(step, error)| format!("{}: {}", step.addr, error.view()))
        .collect();
    let problems = outcome.observation.problems.iter();
    let unseen = problems.map(|problem| format!("{}: {}", problem.site, problem.error));
    failed
        .into_iter()
        .chain(unseen)
        .chain(outcome.stuck.as_ref().map(ToString::to_string))
        .collect()
}

/// The outputs by name. A sensitive one is `null`: what does not hold is shown.
fn outputs(workspace: &Workspace, inventory: &Inventory) -> Value {
    let outputs = workspace.evaluated().outputs(inventory);
    let values = outputs.into_iter().map(|(name, output)| {
        let value = output.value.filter(|_| !output.sensitive);
        (name, value.map_or(Value::Null, |value| value.to_value()))
    });
    values.collect::<Map<_, _>>().into()
}

/// What is there, as `strat show --json` has it.
fn resources(inventory: &Inventory) -> Result<Value, Failure> {
    let all = serde_json::to_value(shown(inventory));
    let all = all.map_err(|error| Failure::new("what is there has no JSON").caused_by(&error))?;
    Ok(all.get("resources").cloned().unwrap_or_default())
}
