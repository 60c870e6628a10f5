//! A topology in a folder of its own, applied through the library as a program would.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use strat_sim::{Phase, RegionKey, SimControl, SimFactory, Verdict, World};
use stratiform::engine::{Holder, Outcome};
use stratiform::model::{Kind, Resource, ResourceState};
use stratiform::provider::{Clock, LeaseStoreFactory, Registry, TokioClock};
use stratiform::{
    AllowDataLoss, ApplyOptions, ApplyOutcome, Error, EventSink, HealthProbe, Inputs, Mode,
    NetProbe, Plan, PlanOptions, RunOptions, Session, Stop, Workspace,
};

/// A folder with a topology, and the simulated clouds that it is applied to.
#[derive(Debug)]
pub struct Folder {
    dir: tempfile::TempDir,
    factory: SimFactory,
    /// What there is besides the simulator.
    registry: Registry,
    clock: Arc<dyn Clock>,
    health: Arc<dyn HealthProbe>,
    lives: bool,
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
            registry: Registry::new(),
            // Not the system's own: where tests pause tokio's clock, a lease would be waited for by
            // another clock than the one that is slept on.
            clock: Arc::new(TokioClock::starting_at(TokioClock::system().now())),
            health: Arc::new(NetProbe),
            lives: false,
        }
    }

    /// Takes the time from another clock, such as one that is wrong by an hour.
    #[must_use]
    pub fn on_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Lets somebody else ask machines whether they are healthy: those of the simulator are nowhere
    /// to be reached.
    #[must_use]
    pub fn asked_by(self, health: Arc<dyn HealthProbe>) -> Self {
        Self { health, ..self }
    }

    /// Its runs hold their leases until they give them back, or the term ends: for what runs at once.
    /// Without this, what a killed run held is free at once.
    #[must_use]
    pub fn living(self) -> Self {
        Self {
            lives: true,
            ..self
        }
    }

    /// Its topology may name this store of leases.
    #[must_use]
    pub fn with_lease_store(self, factory: impl LeaseStoreFactory + 'static) -> Self {
        Self {
            registry: self.registry.with_lease_store(factory),
            ..self
        }
    }

    /// Another empty folder, from which the same clouds are seen: see [`crate::Random::in_realm`].
    ///
    /// # Panics
    /// If no folder can be made.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            factory: self.factory.clone(),
            registry: self.registry.clone(),
            ..Self::new()
        }
    }

    /// Where the simulated clouds are.
    #[must_use]
    pub fn world(&self) -> std::path::PathBuf {
        SimFactory::default_world(self.path())
    }

    /// Takes away what is remembered between two runs, as if the topology were on another computer.
    ///
    /// # Panics
    /// If it cannot be removed.
    pub fn forget(&self) {
        let state = self.path().join(".stratiform");
        if state.exists() {
            std::fs::remove_dir_all(state).expect("removed");
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
        let registry = self.registry.clone().with(self.factory.clone());
        let workspace = match Workspace::load(self.path(), Inputs::default(), registry) {
            Ok(workspace) => workspace,
            Err(error) => panic!("the topology is wrong: {error:#?}"),
        };
        Session::connect_with(workspace, EventSink::none(), Arc::clone(&self.clock))
            .await
            .expect("connects")
            .with_health_probe(Arc::clone(&self.health))
    }

    /// What is wrong with the topology as far as that is known without what is there.
    ///
    /// # Errors
    /// What is wrong.
    pub async fn validate(&self) -> Result<(), Error> {
        let registry = Registry::new().with(SimFactory::new());
        Workspace::validate(self.path(), Inputs::default(), registry)
            .await
            .map(drop)
    }

    /// Plans without writing anything.
    ///
    /// # Errors
    /// Why there is no plan.
    pub async fn try_plan(&self) -> Result<Plan, Error> {
        let planned = self.session().await.plan(&PlanOptions::default()).await?;
        Ok(planned.saved.plan)
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
        self.apply_until(mode, Stop::new()).await
    }

    /// A whole apply, and all that it came to.
    ///
    /// # Panics
    /// If the plan is refused.
    pub async fn outcome(&self, options: &PlanOptions) -> (Plan, ApplyOutcome) {
        self.carry_out(options, Stop::new()).await
    }

    /// An apply that somebody may stop.
    ///
    /// # Panics
    /// If the plan is refused.
    pub async fn apply_until(&self, mode: Mode, stop: Stop) -> Applied {
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let (plan, outcome) = self.carry_out(&options, stop).await;
        let steps = outcome.reports.iter().flat_map(|report| &report.steps);
        Applied {
            plan,
            success: outcome.is_success(),
            failures: steps
                .filter(|step| !matches!(step.outcome, Outcome::Done))
                .map(|step| format!("{}: {:?}", step.addr, step.outcome))
                .collect(),
        }
    }

    async fn carry_out(&self, options: &PlanOptions, stop: Stop) -> (Plan, ApplyOutcome) {
        let session = self.session().await;
        let mut run_options = RunOptions::new("test");
        // Longer than a dead holder is waited for.
        run_options.lock_timeout = std::time::Duration::from_secs(3600);
        run_options.holder = (!self.lives).then(|| mortal(&*self.clock));
        let run = session.begin(&run_options).await.expect("begins");
        let planned = run.plan(options).await.expect("a plan");
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: AllowDataLoss::all_of(&planned.saved),
            stop,
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        self.assert_nothing_pulled();
        (planned.saved.plan, outcome)
    }

    /// Nothing that may be mounted was ever pulled off a machine that ran.
    fn assert_nothing_pulled(&self) {
        for region in self.regions() {
            let pulled = self.control().pulled(&region).expect("the region");
            assert!(
                pulled.is_empty(),
                "pulled off what ran at {region}: {pulled:?}"
            );
        }
    }

    /// An apply that dies at its `at`-th moment before or after the effect of a call that changes
    /// something. `false`: it came to its end before.
    ///
    /// # Panics
    /// If the simulated world cannot be reached.
    pub async fn killed(&self, mode: Mode, at: usize) -> bool {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        self.at_moment(at, move || {
            let _ = tell.send(());
            Verdict::Stop
        })
        .await;
        let died = tokio::select! {
            _ = self.apply(mode) => false,
            _ = told.recv() => true,
        };
        self.clear_hooks();
        if died {
            // Nobody waits for this run's leases, and lists lag.
            self.clock.sleep(std::time::Duration::from_secs(60)).await;
        }
        died
    }

    /// A whole apply that is asked to stop at its `at`-th moment, and all that it came to.
    ///
    /// # Panics
    /// As [`Folder::stopped`].
    pub async fn stopped_outcome(&self, at: usize) -> (Plan, ApplyOutcome) {
        let stop = Stop::new();
        let button = stop.clone();
        self.at_moment(at, move || {
            button.request();
            Verdict::Go
        })
        .await;
        let done = self.carry_out(&PlanOptions::default(), stop).await;
        self.clear_hooks();
        done
    }

    /// An apply that is asked to stop at its `at`-th moment, and, if it is urgent, at once again.
    ///
    /// # Panics
    /// If the simulated world cannot be reached, or the plan is refused.
    pub async fn stopped(&self, mode: Mode, at: usize, urgent: bool) -> Applied {
        let stop = Stop::new();
        let button = stop.clone();
        self.at_moment(at, move || {
            button.request();
            if urgent {
                button.request();
            }
            Verdict::Go
        })
        .await;
        let applied = self.apply_until(mode, stop).await;
        self.clear_hooks();
        applied
    }

    /// Does something from the `at`-th moment on before or after the effect of a call that changes
    /// something.
    async fn at_moment(
        &self,
        at: usize,
        act: impl Fn() -> Verdict + Clone + Send + Sync + 'static,
    ) {
        // Connect first, so that there is a world to hook into.
        drop(self.session().await);
        let moment = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for world in self.worlds() {
            let (act, moment) = (act.clone(), Arc::clone(&moment));
            world.on_call(Box::new(move |operation, _: Phase| {
                if operation.starts_with("list") || operation.starts_with("get") {
                    return Verdict::Go;
                }
                if moment.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= at {
                    return act();
                }
                Verdict::Go
            }));
        }
    }

    fn clear_hooks(&self) {
        for world in self.worlds() {
            world.clear_hook();
        }
    }

    fn worlds(&self) -> Vec<World> {
        self.factory.worlds().into_values().collect()
    }

    /// What disturbs the simulated clouds.
    ///
    /// # Panics
    /// If nothing was ever connected.
    #[must_use]
    pub fn control(&self) -> SimControl {
        SimControl::new(self.worlds().into_iter().next().expect("a world"))
    }

    /// The regions of the simulated clouds.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionKey> {
        let views = self.control().regions().expect("regions");
        views.into_iter().map(|view| view.region).collect()
    }

    /// Everything that is anywhere and not going away, ours or not, by region and kind, as it
    /// really is.
    ///
    /// # Panics
    /// If the world cannot be read.
    #[must_use]
    pub fn everything(&self) -> BTreeMap<(String, Kind), Vec<Resource>> {
        let mut all: BTreeMap<_, Vec<Resource>> = BTreeMap::new();
        let control = self.control();
        for region in self.regions() {
            for thing in control.resources(&region, None).expect("things") {
                if thing.state != ResourceState::Deleting {
                    let key = (region.to_string(), thing.kind());
                    all.entry(key).or_default().push(thing);
                }
            }
        }
        all
    }
}

/// A holder whose process is known to have ended, once nobody renews for it: these runs are killed in
/// a process that lives on, and a process of the same host that ended is waited for by nobody.
fn mortal(clock: &dyn Clock) -> Holder {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let mut holder = Holder::this_process("test", clock.now());
    holder.id = format!("{}/{}", holder.id, RUNS.fetch_add(1, Ordering::Relaxed));
    if let Some(process) = &mut holder.process {
        process.started += 1;
    }
    holder
}
