//! A topology in a folder of its own, applied through the library as a program would.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use strat_sim::{Phase, SimFactory, Verdict, World};
use stratiform::engine::Outcome;
use stratiform::model::{Kind, Resource};
use stratiform::provider::{Clock, Filter, ProviderExt as _, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session, Workspace,
};

/// A folder with a topology, and the simulated clouds that it is applied to.
#[derive(Debug)]
pub struct Folder {
    dir: tempfile::TempDir,
    factory: SimFactory,
    clock: Arc<dyn Clock>,
}

/// What an apply came to.
#[derive(Debug)]
pub struct Applied {
    /// The plan that it carried out.
    pub plan: Plan,
    /// Whether all of it was done.
    pub success: bool,
    /// What was not, in words.
    pub failures: Vec<String>,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty folder.
    ///
    /// # Panics
    /// If no folder can be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            factory: SimFactory::new(),
            clock: Arc::new(TokioClock::system()),
        }
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts these texts in place of the topology that was there.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn write<T: AsRef<str>>(&self, files: &[T]) {
        for entry in std::fs::read_dir(self.path()).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "hcl") {
                std::fs::remove_file(path).expect("removed");
            }
        }
        for (number, text) in files.iter().enumerate() {
            let path = self.path().join(format!("part{number}.hcl"));
            std::fs::write(path, text.as_ref()).expect("written");
        }
    }

    /// The topology with its sites connected.
    ///
    /// # Panics
    /// If the topology is wrong.
    pub async fn session(&self) -> Session {
        let registry = Registry::new().with(self.factory.clone());
        let workspace = match Workspace::load(self.path(), Inputs::default(), registry) {
            Ok(workspace) => workspace,
            Err(error) => panic!("the topology is wrong: {error:#?}"),
        };
        Session::connect_with(workspace, EventSink::none(), Arc::clone(&self.clock))
            .await
            .expect("connects")
    }

    /// Plans without writing anything.
    ///
    /// # Panics
    /// If planning fails.
    pub async fn plan(&self, mode: Mode) -> Plan {
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = self.session().await.plan(&options).await.expect("a plan");
        planned.saved.plan
    }

    /// A whole apply.
    ///
    /// # Panics
    /// If the plan is refused.
    pub async fn apply(&self, mode: Mode) -> Applied {
        let session = self.session().await;
        let mut options = RunOptions::new("test");
        options.lock_timeout = std::time::Duration::from_secs(300);
        let run = session.begin(&options).await.expect("begins");
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await.expect("a plan");
        let options = ApplyOptions {
            allow_deletes: true,
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        let steps = outcome.reports.iter().flat_map(|report| &report.steps);
        Applied {
            plan: planned.saved.plan,
            success: outcome.is_success(),
            failures: steps
                .filter(|step| !matches!(step.outcome, Outcome::Done))
                .map(|step| format!("{}: {:?}", step.addr, step.outcome))
                .collect(),
        }
    }

    /// An apply that dies at its `at`-th moment before or after the effect of a call that changes
    /// something. `false`: it came to its end before.
    ///
    /// # Panics
    /// If the simulated world cannot be reached.
    pub async fn killed(&self, mode: Mode, at: usize) -> bool {
        // Connect first, so that there is a world to hook into.
        drop(self.session().await);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let moment = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for world in self.worlds() {
            let (tell, moment) = (tell.clone(), Arc::clone(&moment));
            world.on_call(Box::new(move |operation, _: Phase| {
                if operation.starts_with("list") || operation.starts_with("get") {
                    return Verdict::Go;
                }
                let now = moment.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                if now >= at {
                    let _ = tell.send(());
                    return Verdict::Stop;
                }
                Verdict::Go
            }));
        }
        let died = tokio::select! {
            _ = self.apply(mode) => false,
            _ = told.recv() => true,
        };
        for world in self.worlds() {
            world.clear_hook();
        }
        died
    }

    fn worlds(&self) -> Vec<World> {
        self.factory.worlds().into_values().collect()
    }

    /// Everything that is anywhere, ours or not, by site and kind.
    ///
    /// # Panics
    /// If a list fails.
    pub async fn everything(&self) -> BTreeMap<(String, Kind), Vec<Resource>> {
        let session = self.session().await;
        let mut all = BTreeMap::new();
        for (site, provider) in session.sites() {
            for kind in Kind::ALL {
                let found = provider.list_all(kind, &Filter::All).await.expect("a list");
                if !found.is_empty() {
                    all.insert((site.to_string(), kind), found);
                }
            }
        }
        all
    }
}
