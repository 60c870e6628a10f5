//! What every command has at hand: where to write, and how to come by a topology.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use stratiform::engine::Problem;
use stratiform::model::{Kind, Name};
use stratiform::provider::TokioClock;
use stratiform::provider::layers::CallObserver;
use stratiform::topology::Sources;
use stratiform::{Error, Event, EventSink, Inputs, Session, StateDir, Workspace};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::advice;
use crate::args::{TopologyArgs, VarArgs, When};
use crate::environment;
use crate::failure::Failure;
use crate::output::Output;
use crate::providers;
use crate::render::diagnostics::{Look, diagnostics, told};
use crate::render::failure::help_line;
use crate::render::progress::Progress;
use crate::render::style::{UPDATE, paint};
use crate::watch::watch;

/// How a command ended, when it did not fail to do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As it should.
    Done,
    /// There are changes, and the exit code is to say so.
    Changes,
    /// Something failed, and that was told.
    Failed,
    /// Ctrl-C.
    Interrupted,
    /// Traffic that was asked about does not pass, or not all of it.
    Refused,
    /// What was recorded is not what its inputs give.
    Differs,
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Changes | Self::Refused => 2,
            Self::Differs => 3,
            Self::Interrupted => 130,
        })
    }

    /// How a plan ended, for who asked to be told by the exit code. That there are no changes can
    /// only be said when everything was seen.
    pub(crate) const fn detailed(asked: bool, changes: bool, problems: &[Problem]) -> Self {
        match (asked, changes, problems.is_empty()) {
            (false, _, _) | (true, false, true) => Self::Done,
            (true, true, _) => Self::Changes,
            (true, false, false) => Self::Failed,
        }
    }
}

/// What every command has at hand.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where to write.
    pub(crate) output: Output,
    /// The environment that was named.
    pub(crate) env: Option<Name>,
    /// The problems that were told already.
    told: RefCell<BTreeSet<(Name, Option<Kind>)>>,
    /// Who is told of every call to a provider.
    observers: RefCell<Vec<Arc<dyn CallObserver>>>,
}

impl Context {
    pub(crate) fn new(color: When, env: Option<Name>) -> Self {
        Self {
            output: Output::new(color),
            env,
            told: RefCell::default(),
            observers: RefCell::default(),
        }
    }

    /// Has every call to a provider told to `observers`, from the next connection on.
    pub(crate) fn observe_calls(&self, observers: Vec<Arc<dyn CallObserver>>) {
        self.observers.replace(observers);
    }

    /// Who is to be told of every call.
    #[cfg(feature = "burst")]
    pub(crate) fn observers(&self) -> Vec<Arc<dyn CallObserver>> {
        self.observers.borrow().clone()
    }

    /// Runs a future to its end on a runtime of this thread.
    ///
    /// # Errors
    /// Those of the future, and if there can be no runtime.
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new("no runtime could be started").caused_by(&error))?
            .block_on(work)
    }

    /// Reads and checks a topology. Warnings go to stderr.
    ///
    /// # Errors
    /// When it is wrong; everything that is wrong with it was told then.
    pub(crate) fn load(&self, args: &TopologyArgs) -> Result<Workspace, Failure> {
        let inputs = self.inputs(&args.path, &args.vars)?;
        self.load_with(&args.path, inputs)
    }

    /// Reads and checks a topology for who needs no more of it than its sites, whose the things are,
    /// and its outputs: a variable without a value stops nothing, unless one of those needs it.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub(crate) fn load_sites(&self, args: &TopologyArgs) -> Result<Workspace, Failure> {
        let inputs = self.inputs(&args.path, &args.vars)?;
        let workspace = Workspace::load_sites(&args.path, inputs, providers::registry())
            .map_err(|error| self.failure(&error))?;
        self.warn(&workspace);
        Ok(workspace)
    }

    /// Where the journal and the lease of the topology at a path are.
    pub(crate) fn state(&self, path: &Path) -> StateDir {
        StateDir::of(path).of_env(self.env.as_ref())
    }

    /// Reads and checks a topology with inputs that are at hand.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub(crate) fn load_with(&self, path: &Path, inputs: Inputs) -> Result<Workspace, Failure> {
        let workspace = Workspace::load(path, inputs, providers::registry())
            .map_err(|error| self.failure(&error))?;
        self.warn(&workspace);
        Ok(workspace)
    }

    /// Tells what is worth a look and stops nothing.
    pub(crate) fn warn(&self, workspace: &Workspace) {
        if !workspace.warnings().is_empty() {
            let text = diagnostics(workspace.warnings(), workspace.sources(), self.look());
            self.output.note(&text);
        }
    }

    /// The topology without the sites that are said to be lost.
    ///
    /// # Errors
    /// If it has no such site, or no other.
    pub(crate) fn leave_out(
        &self,
        workspace: Workspace,
        without: impl IntoIterator<Item = Name>,
    ) -> Result<Workspace, Failure> {
        workspace
            .leaving_out(without.into_iter().collect())
            .map_err(|error| self.failure(&error))
    }

    /// The values of variables: the environment, the files beside the topology, those that are named,
    /// the command line; later ones win.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn inputs(&self, path: &Path, args: &VarArgs) -> Result<Inputs, Failure> {
        self.inputs_for(self.env.as_ref(), path, args)
    }

    /// As [`Context::inputs`], for an environment.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn inputs_for(
        &self,
        env: Option<&Name>,
        path: &Path,
        args: &VarArgs,
    ) -> Result<Inputs, Failure> {
        let beside = Sources::values_beside(path, env.map(Name::as_str));
        let mut var_files = beside.map_err(|error| self.failure(&error.into()))?;
        let named =
            Workspace::read_var_files(&args.var_files).map_err(|error| self.failure(&error))?;
        var_files.extend(named);
        let mut inputs = Inputs {
            vars: environment::vars(),
            var_files,
            env: env.cloned(),
        };
        if !inputs.vars.is_empty() {
            // The environment may hold values for other topologies; they are no mistake here.
            let known = Sources::load(path).map(|sources| advice::variables(&sources));
            let (known, given) = (known.unwrap_or_default(), inputs.given_in_files());
            inputs
                .vars
                .retain(|name, _| known.contains_key(name) && !given.contains(name));
        }
        inputs.vars.extend(args.vars.iter().cloned());
        Ok(inputs)
    }

    /// Connects to the sites of a topology, and gives the events of all that follows.
    ///
    /// # Errors
    /// When no site can be reached.
    pub(crate) async fn connect(
        &self,
        workspace: Workspace,
    ) -> Result<(Session, UnboundedReceiver<Event>), Failure> {
        let (sink, mut events) = EventSink::channel();
        let clock = Arc::new(TokioClock::system());
        let observers = self.observers.borrow().clone();
        let mut progress = Progress::new(&self.output);
        let connect = Session::connect_observed(workspace, sink, clock, observers);
        let session = watch(&mut events, &mut progress, connect).await;
        progress.clear();
        let session = session.map_err(|error| self.failure(&error))?;
        Ok((session, events))
    }

    /// How findings are drawn on stderr.
    pub(crate) fn look(&self) -> Look {
        Look {
            fancy: self.output.stderr_is_terminal() && self.output.stderr_has_color(),
            width: self.output.stderr_width(),
        }
    }

    /// A library error as a failure. Findings are told here, with their source.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let mut failure = Failure::of_library(error);
        if let Some((list, sources)) = error.findings() {
            self.output.note(&diagnostics(&list, sources, self.look()));
            let findings = list.iter().map(|finding| told(finding, sources));
            failure.findings = Some(findings.collect());
            if let Error::NoPlace { unplaced, .. } = error {
                failure.unplaced = serde_json::to_value(unplaced).ok();
            }
        }
        failure
    }

    /// Tells what could not be seen: of each site and kind once, however often it was looked at.
    pub(crate) fn tell_problems(&self, problems: &[Problem]) {
        for problem in problems {
            let (site, kind) = (&problem.site, problem.kind);
            let is_new = self.told.borrow_mut().insert((site.clone(), kind));
            if is_new {
                let head = paint(UPDATE.bold(), "warning:");
                let what = kind.map_or_else(String::new, |kind| format!(" ({kind})"));
                let view = problem.error.view();
                let mut text = format!("{head} {site}{what}: {view}\n");
                if let Some(help) = &view.help {
                    help_line(&mut text, "  ", help, self.output.stderr_width());
                }
                self.output.note(&text);
            }
        }
    }
}
