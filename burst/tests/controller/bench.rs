//! A topology with a burst over owned hardware and a cloud, both simulated, and a load that tests set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use strat_burst::run::{Controller, Drained, Hook, Hooks, Notice, Options, Round};
use strat_burst::signals::{Measure, Measured, Past};
use strat_model::burst::Signal;
use strat_model::{CapacityKind, Field, Kind, ResourceState, Spec};
use strat_sim::{Disturbance, Phase, SimControl, SimFactory, Verdict, World};
use stratiform::engine::Holder;
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, PlanOptions, RunOptions, Session, Stop, Workspace,
};

/// Two machines at least, ten on owned hardware at most, and a cloud behind it.
pub(crate) const SHOP: &str = r#"
topology "shop" {}
site "dc" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc"
  zones     = ["rack1"]
  capacity  = { cpu = 8, memory = "64GiB", disk = "8TiB" }
  create_ms = 30000
}
site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 90000
}
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc, site.east]
}
subnet "app" {
  network = network.core
  newbits = 3
}
machines "web" {
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {
    sites  = [site.dc, site.east]
    prefer = "owned"
  }
}
burst "web" {
  fleet = machines.web
  max   = 12
  demand "rps" {
    query = "sum(rate(http_requests_total[1m]))"
    each  = 100
  }
  down {
    after   = "5m"
    min_age = "5m"
    step    = "100%"
  }
  drain {
    http     = "http://{ip}:9000/drain"
    deadline = "5m"
  }
  cost {
    hourly = "2 USD"
  }
}
"#;

/// The load, which tests set; `None` is not measured.
#[derive(Debug, Default)]
pub(crate) struct Load(Mutex<Option<f64>>);

impl Load {
    pub(crate) fn set(&self, value: Option<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

#[async_trait]
impl Measure for Load {
    async fn measure(&self, _burst: &str, _signal: &Signal, now: Timestamp) -> Measured {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(value) => Measured::of(value, now),
            None => Measured::nothing(now, "the test measures nothing"),
        }
    }

    async fn history(&self, _: &Signal, _: u64, _: usize, _: Timestamp) -> Past {
        Past::default()
    }
}

/// Says of every machine that it is empty, or not.
#[derive(Debug, Default)]
pub(crate) struct Door {
    pub(crate) asked: AtomicUsize,
    pub(crate) works: std::sync::atomic::AtomicBool,
    /// The addresses of machines that their cloud takes back.
    pub(crate) taken_back: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Hooks for Door {
    async fn drain(&self, hook: &Hook) -> Drained {
        let Hook::Http(url) = hook else {
            panic!("{hook:?}");
        };
        assert!(url.starts_with("http://10.20."), "{url}");
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.works.load(Ordering::SeqCst) {
            true => Drained::Working,
            false => Drained::Yes,
        }
    }

    async fn notice(&self, url: &str) -> Notice {
        let ip = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once(':'));
        let (ip, _) = ip.expect("an address");
        let taken = self
            .taken_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match taken.contains(ip) {
            true => Notice::Given,
            false => Notice::None,
        }
    }
}

/// A folder in memory where there is one: what is written is synced each time, and no test cuts the power.
fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    made.expect("a folder")
}

pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    factory: SimFactory,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) load: Arc<Load>,
    pub(crate) door: Arc<Door>,
    /// Each machine that was ever seen: since when, and until when.
    pub(crate) lives: BTreeMap<String, (Timestamp, Option<Timestamp>, bool)>,
}

/// A machine of the fleet as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct There {
    pub(crate) id: String,
    pub(crate) owned: bool,
    pub(crate) ready: bool,
    pub(crate) drains: bool,
    /// When its cloud made it.
    pub(crate) made: Option<Timestamp>,
    /// The fleet.
    pub(crate) fleet: String,
    pub(crate) spot: bool,
    pub(crate) ip: Option<String>,
}

impl Bench {
    /// The topology, applied.
    pub(crate) async fn new(text: &str) -> Self {
        let start: Timestamp = "2026-11-30T08:00:00Z".parse().expect("a time");
        Self::on(text, Arc::new(TokioClock::starting_at(start))).await
    }

    /// The same, by another clock.
    pub(crate) async fn on(text: &str, clock: Arc<dyn Clock>) -> Self {
        let bench = Self {
            dir: in_memory(),
            factory: SimFactory::new(),
            clock,
            load: Arc::default(),
            door: Arc::default(),
            lives: BTreeMap::new(),
        };
        bench.write(text);
        let session = bench.session().await;
        let run = session
            .begin(&RunOptions::new("test"))
            .await
            .expect("begins");
        let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
        let outcome = run.apply(&planned, &ApplyOptions::default()).await;
        assert!(outcome.expect("applies").is_success());
        run.end().await.expect("ends");
        bench
    }

    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.dir.path().join("shop.hcl"), text).expect("written");
    }

    fn workspace(path: &Path, factory: &SimFactory) -> Result<Workspace, stratiform::Error> {
        let registry = Registry::new().with(factory.clone());
        Workspace::load(path, Inputs::default(), registry)
    }

    pub(crate) async fn session(&self) -> Session {
        let workspace = Self::workspace(self.dir.path(), &self.factory).expect("a topology");
        Session::connect_with(workspace, EventSink::none(), Arc::clone(&self.clock))
            .await
            .expect("connects")
    }

    /// A controller that nobody waits for once it is dropped, as if its process had died.
    pub(crate) fn controller(&self) -> Controller {
        self.controller_of(self.holder_that_dies())
    }

    /// The same, which decides so often.
    pub(crate) fn controller_that_dies(&self, interval: Duration) -> Controller {
        self.controller_with(self.holder_that_dies(), Some(interval))
    }

    fn holder_that_dies(&self) -> Holder {
        static CONTROLLERS: AtomicUsize = AtomicUsize::new(0);
        let mut holder = Holder::this_process("test", self.clock.now());
        holder.id = format!(
            "{}/{}",
            holder.id,
            CONTROLLERS.fetch_add(1, Ordering::SeqCst)
        );
        if let Some(process) = &mut holder.process {
            process.started += 1;
        }
        holder
    }

    pub(crate) fn controller_of(&self, holder: Holder) -> Controller {
        self.controller_with(holder, None)
    }

    /// A controller that decides so often.
    pub(crate) fn controller_every(&self, interval: Duration) -> Controller {
        let holder = Holder::this_process("test", self.clock.now());
        self.controller_with(holder, Some(interval))
    }

    fn controller_with(&self, holder: Holder, interval: Option<Duration>) -> Controller {
        let (path, factory) = (self.dir.path().to_owned(), self.factory.clone());
        Controller::new(Options {
            interval,
            load: Box::new(move || Self::workspace(&path, &factory)),
            clock: Arc::clone(&self.clock),
            signals: Arc::clone(&self.load) as Arc<dyn Measure>,
            hooks: Arc::clone(&self.door) as Arc<dyn Hooks>,
            health: None,
            events: EventSink::none(),
            observers: Vec::new(),
            holder: Some(holder),
        })
        .expect("a controller")
    }

    /// Runs a round, and looks each second.
    pub(crate) async fn round(&mut self, controller: &mut Controller) -> Round {
        let stop = Stop::new();
        let mut round = Box::pin(controller.round(&stop));
        let clock = Arc::clone(&self.clock);
        let done = loop {
            tokio::select! {
                biased;
                done = &mut round => break done,
                () = clock.sleep(Duration::from_secs(1)) => self.look(),
            }
        };
        self.look();
        done
    }

    /// Runs rounds for some minutes, and looks all the time.
    pub(crate) async fn minutes(
        &mut self,
        controller: &mut Controller,
        minutes: usize,
    ) -> Vec<Round> {
        let mut rounds = Vec::new();
        for _ in 0..minutes {
            let round = self.round(controller).await;
            self.clock.sleep(round.next_in).await;
            self.look();
            rounds.push(round);
        }
        rounds
    }

    pub(crate) fn worlds(&self) -> Vec<World> {
        self.factory.worlds().into_values().collect()
    }

    pub(crate) fn control(&self) -> SimControl {
        SimControl::new(self.worlds().into_iter().next().expect("a world"))
    }

    /// The machines that the simulated sites have, whoever knows of them.
    pub(crate) fn machines(&self) -> Vec<There> {
        let control = self.control();
        let mut all = Vec::new();
        for region in control.regions().expect("regions") {
            let found = control
                .resources(&region.region, Some(Kind::Machine))
                .expect("read");
            for one in found {
                let Spec::Machine(spec) = &one.spec else {
                    continue;
                };
                if one.state == ResourceState::Deleting {
                    continue;
                }
                let mark = one.mark.as_ref().expect("a mark");
                let note = mark.notes.get(&Field::Drain);
                all.push(There {
                    id: one.id.to_string(),
                    owned: spec.capacity == CapacityKind::Owned,
                    ready: one.state == ResourceState::Ready,
                    drains: note.is_some_and(|note| note != "no"),
                    made: one.created,
                    fleet: mark.addr.local.to_string(),
                    spot: spec.capacity == CapacityKind::Spot,
                    ip: one.attributes.get("private_ip").cloned(),
                });
            }
        }
        all
    }

    pub(crate) fn count(&self) -> (usize, usize) {
        let machines = self.machines();
        let owned = machines.iter().filter(|one| one.owned).count();
        (owned, machines.len() - owned)
    }

    /// How many machines of a fleet there are at home, and elsewhere.
    pub(crate) fn of_fleet(&self, fleet: &str) -> (usize, usize) {
        let machines = self.machines();
        let of = machines.iter().filter(|one| one.fleet == fleet);
        let owned = of.clone().filter(|one| one.owned).count();
        (owned, of.count() - owned)
    }

    /// Lets a spot machine be told that its cloud takes it back.
    pub(crate) fn take_back(&self, ip: &str) {
        let mut taken = self
            .door
            .taken_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.insert(ip.to_owned());
    }

    /// Does something behind everybody's back to a machine, wherever it is.
    pub(crate) fn strike(&self, what: &Disturbance) {
        for view in self.control().regions().expect("regions") {
            // It is in one of them.
            let _ = self.control().disturb(&view.region, what);
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        let machines = self.machines();
        let ids: BTreeSet<&String> = machines.iter().map(|one| &one.id).collect();
        for one in &machines {
            self.lives
                .entry(one.id.clone())
                .or_insert((one.made.unwrap_or(now), None, one.owned));
        }
        for (id, (_, until, _)) in &mut self.lives {
            if until.is_none() && !ids.contains(id) {
                *until = Some(now);
            }
        }
    }

    /// The next call of some kind that changes something at a site fails to come back, for good: as if
    /// the process died there.
    pub(crate) fn die_at(&self, at: usize, tell: &tokio::sync::mpsc::UnboundedSender<()>) {
        let moment = Arc::new(AtomicUsize::new(0));
        for world in self.worlds() {
            let (tell, moment) = (tell.clone(), Arc::clone(&moment));
            world.on_call(Box::new(move |operation, _: Phase| {
                let reads = operation.starts_with("list") || operation.starts_with("get");
                if reads || moment.fetch_add(1, Ordering::SeqCst) < at {
                    return Verdict::Go;
                }
                let _ = tell.send(());
                Verdict::Stop
            }));
        }
    }

    pub(crate) fn live_on(&self) {
        for world in self.worlds() {
            world.clear_hook();
        }
    }

    pub(crate) async fn wait(&self, time: Duration) {
        self.clock.sleep(time).await;
    }
}
