//! A simulated world of three clouds, a topology over them, and applies that can be killed.

#![expect(dead_code, reason = "each test crate uses its own part of this")]

pub(crate) mod shop;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use strat_engine::*;
use strat_model::*;
use strat_planner::{Desired, DiffOptions, Mode, Plan, diff, lint, lower, place};
use strat_provider::{Clock, Filter, LeaseKey, Leases, ProviderExt as _, TokioClock};
use strat_sim::{
    Behaviour, Phase, Profile, RegionKey, SimControl, SimSite, Verdict as Hooked, World,
};

/// Longer than a dead holder's lease is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect(text)
}

pub(crate) fn addr(text: &str) -> Addr {
    text.parse().expect(text)
}

/// A world, a topology's folder, and what is needed to apply to it.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) sites: Sites,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn Leases>,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) events: EventSink,
    pub(crate) stop: Stop,
    pub(crate) options: ExecuteOptions,
    runs: AtomicUsize,
    /// The journal of the last run.
    last: Mutex<Option<Arc<Journal>>>,
}

/// What an apply did.
pub(crate) struct Applied {
    pub(crate) settled: SettleReport,
    pub(crate) plan: Plan,
    pub(crate) report: Report,
}

impl Bench {
    /// `dc1` on owned hardware, `east` on AWS, `west` on Azure.
    pub(crate) fn new(behaviour: impl Fn(Profile) -> Behaviour) -> Self {
        let start: Timestamp = "2026-03-01T00:00:00Z".parse().expect("time");
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(start));
        let world = World::in_memory(7, Arc::clone(&clock));
        let capacity = SiteCapacity {
            cpu: 64,
            memory: Bytes::gib(256),
            disk: None,
            gpus: std::collections::BTreeMap::new(),
        };
        let site = |site: &str, profile, region| {
            SimSite::new(name(site), profile, region).behaving(behaviour(profile))
        };
        let sites = [
            site("dc1", Profile::Onprem, "dc1").with_capacity(capacity),
            site("east", Profile::Aws, "us-east-1"),
            site("west", Profile::Azure, "westeurope"),
        ];
        let sites = sites.map(|site| {
            let key = site.name.clone();
            (key, world.connect(site).expect("connects"))
        });
        let dir = tempfile::tempdir().expect("folder");
        Self {
            world,
            sites: BTreeMap::from(sites),
            store: Arc::new(FileLeases::new(dir.path(), Duration::ZERO)),
            clock,
            dir,
            events: EventSink::none(),
            stop: Stop::new(),
            options: ExecuteOptions::default(),
            runs: AtomicUsize::new(0),
            last: Mutex::default(),
        }
    }

    pub(crate) fn realistic() -> Self {
        Self::new(Behaviour::realistic)
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(self.dir.path()).expect("journal")
    }

    /// Where the folder's lease is kept.
    pub(crate) fn spot(&self) -> Spot {
        Spot {
            store: Arc::clone(&self.store),
            key: LeaseKey::of("folder", ""),
            place: "the folder".to_owned(),
            window: Duration::ZERO,
        }
    }

    /// Who wants a lease: another one each time.
    pub(crate) fn claim(&self, policy: LeasePolicy) -> Claim {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let mut holder = Holder::this_process("apply", self.clock.now());
        holder.id = format!("{}/{run}", holder.id);
        Claim {
            holder,
            policy,
            folder: None,
            may_make: true,
        }
    }

    pub(crate) async fn guard(&self) -> HeldLeases {
        let claim = self.claim(LeasePolicy::default());
        let folder = take(&self.spot(), &claim, PATIENCE, &self.clock, &self.events).await;
        HeldLeases::new(folder.expect("lease"), Vec::new())
    }

    pub(crate) async fn observe(&self, owner: &Owner, journal: &Journal) -> Observation {
        let moves = Moves::default();
        let look = observe(
            &self.sites,
            owner,
            &moves,
            journal,
            &*self.clock,
            &self.events,
        );
        let seen = send(look).await;
        assert!(seen.problems.is_empty(), "{:?}", seen.problems);
        seen
    }

    /// The region behind a site, to disturb.
    pub(crate) fn region(&self, site: &str) -> RegionKey {
        let (profile, region) = match site {
            "dc1" => (Profile::Onprem, "dc1"),
            "east" => (Profile::Aws, "us-east-1"),
            _ => (Profile::Azure, "westeurope"),
        };
        SimSite::new(name(site), profile, region).region_key()
    }

    pub(crate) fn control(&self) -> SimControl {
        SimControl::new(self.world.clone())
    }

    /// The plan for what there is now.
    pub(crate) async fn plan(&self, intent: &Intent, mode: Mode) -> (Desired, Plan, Observation) {
        let journal = self.journal();
        let seen = self.observe(&intent.owner, &journal).await;
        let (desired, plan) = plan(intent, &seen, &journal, mode);
        (desired, plan, seen)
    }

    /// A whole apply, as the facade does it.
    pub(crate) async fn apply(&self, intent: &Intent, mode: Mode) -> Applied {
        let lease = self.guard().await;
        let journal = Arc::new(self.journal());
        *self.last.lock().expect("no panic") = Some(Arc::clone(&journal));
        let owner = &intent.owner;
        let settled = send(settle(
            &self.sites,
            owner,
            &journal,
            &*self.clock,
            &self.events,
        ))
        .await
        .expect("settles");
        assert!(settled.problems.is_empty(), "{:?}", settled.problems);
        let seen = self.observe(owner, &journal).await;
        let (desired, plan) = plan(intent, &seen, &journal, mode);
        let report = self.execute(&desired, &plan, &seen, &journal, &lease).await;
        let now = self.clock.now();
        if report.is_success() {
            let entries = desired.entries.iter().map(|(a, e)| (a.clone(), e.count()));
            let applied = entries.collect();
            journal
                .record_applied(now, owner, &applied)
                .await
                .expect("records");
        }
        journal
            .compact(now, retention(&self.sites))
            .await
            .expect("compacts");
        lease.release(|_| false).await.expect("releases");
        Applied {
            settled,
            plan,
            report,
        }
    }

    pub(crate) async fn execute(
        &self,
        desired: &Desired,
        plan: &Plan,
        seen: &Observation,
        journal: &Journal,
        lease: &HeldLeases,
    ) -> Report {
        let spending = Spending::of(plan);
        self.execute_within(&spending, (desired, plan), seen, journal, lease)
            .await
    }

    /// As [`Bench::execute`], with what is left of the budgets.
    pub(crate) async fn execute_within(
        &self,
        spending: &Spending,
        (desired, plan): (&Desired, &Plan),
        seen: &Observation,
        journal: &Journal,
        lease: &HeldLeases,
    ) -> Report {
        let graph = lower(plan, &seen.inventory, &seen.facts);
        let faults = lint(plan, &graph, &seen.inventory, &seen.facts);
        assert!(faults.is_empty(), "{faults:#?}");
        let run = Run {
            plan,
            graph: &graph,
            sites: &self.sites,
            inventory: &seen.inventory,
            user_data: &UserDataSource::of(desired),
            journal,
            consent: &all_of(plan),
            spending,
            leases: lease,
            clock: &*self.clock,
            events: &self.events,
            health: &strat_engine::NetProbe,
            stop: &self.stop,
            options: self.options,
        };
        // Whoever embeds it may run it on any thread.
        send(execute(run)).await
    }

    /// An apply that is killed at its `at`-th moment before or after the effect of a call that is
    /// not a list. `None`: there are not so many.
    pub(crate) async fn killed(&self, intent: &Intent, mode: Mode, at: usize) -> Option<String> {
        let moment = Arc::new(AtomicUsize::new(0));
        let (tell, killed) = tokio::sync::mpsc::unbounded_channel::<String>();
        let counter = Arc::clone(&moment);
        self.world.on_call(Box::new(move |operation, phase: Phase| {
            if !matters(operation) {
                return Hooked::Go;
            }
            let now = counter.fetch_add(1, Ordering::Relaxed);
            if now == at {
                let _ = tell.send(format!("{operation} {phase:?}"));
            }
            // A dead process makes no call any more.
            if now >= at { Hooked::Stop } else { Hooked::Go }
        }));
        let mut killed = killed;
        let outcome = tokio::select! {
            done = self.apply(intent, mode) => {
                assert!(done.report.is_success(), "{}", failures(&done.report));
                None
            }
            at = killed.recv() => at,
        };
        self.world.clear_hook();
        if outcome.is_some() {
            // A dead process ends no write any more; ours does.
            let journal = self.last.lock().expect("no panic").take();
            while journal.as_ref().is_some_and(|journal| !journal.is_idle()) {
                std::thread::yield_now();
            }
            tear(self.dir.path());
        }
        outcome
    }

    /// Everything that is there, whosever it is, at each address.
    pub(crate) async fn census(&self) -> (BTreeMap<Addr, u32>, Vec<Resource>) {
        let mut ours: BTreeMap<Addr, u32> = BTreeMap::new();
        let mut strays = Vec::new();
        for provider in self.sites.values() {
            for kind in provider.capabilities().kinds.clone() {
                let all = provider.list_all(kind, &Filter::All).await.expect("lists");
                for resource in all {
                    match (&resource.mark, resource.state) {
                        (_, ResourceState::Deleting) => {}
                        (Some(mark), _) => *ours.entry(mark.addr.clone()).or_default() += 1,
                        (None, _) => strays.push(resource),
                    }
                }
            }
        }
        (ours, strays)
    }

    /// What is there is exactly what is wanted, and the next plan is empty.
    pub(crate) async fn assert_converged(&self, intent: &Intent, context: &str) {
        let (desired, plan, _) = self.plan(intent, Mode::Apply).await;
        assert_eq!(summary(&plan), Vec::<String>::new(), "{context}");
        // The census reads lists alone, so they have to catch up.
        self.clock.sleep(Duration::from_secs(60)).await;
        let (ours, strays) = self.census().await;
        let wanted: BTreeMap<Addr, u32> = desired
            .entries
            .iter()
            .map(|(addr, entry)| (addr.clone(), entry.count()))
            .collect();
        assert_eq!(ours, wanted, "{context}");
        assert!(strays.is_empty(), "{context}: {strays:?}");
        let (_, plan, _) = self.plan(intent, Mode::Apply).await;
        assert_eq!(summary(&plan), Vec::<String>::new(), "{context}: later");
    }

    pub(crate) async fn assert_empty(&self, context: &str) {
        self.clock.sleep(Duration::from_secs(60)).await;
        let (ours, strays) = self.census().await;
        assert!(
            ours.is_empty() && strays.is_empty(),
            "{context}: {ours:?} {strays:?}"
        );
    }
}

pub(crate) fn plan(
    intent: &Intent,
    seen: &Observation,
    journal: &Journal,
    mode: Mode,
) -> (Desired, Plan) {
    let mut desired =
        place(intent, &seen.facts, &seen.inventory).expect("everything finds a place");
    if mode == Mode::Destroy {
        desired.entries.clear();
    }
    let applied = journal.applied(&intent.owner);
    let options = DiffOptions {
        mode,
        ..DiffOptions::default()
    };
    let plan = diff(
        &desired,
        &seen.inventory,
        &seen.facts,
        applied.as_ref(),
        &options,
    );
    (desired, plan)
}

/// Consent to all that a plan destroys.
pub(crate) fn all_of(plan: &Plan) -> Consent {
    let losses = plan.data_loss.iter();
    Consent::to_lose(losses.map(|loss| (loss.addr.site.clone(), loss.id.clone())))
}

fn send<F: Future + Send>(future: F) -> F {
    future
}

pub(crate) fn failures(report: &Report) -> String {
    let mut text = format!("{:?} {:?}", report.counts, report.fatal);
    for step in &report.steps {
        text = format!(
            "{text}\n{} {} {:?}",
            step.operation, step.addr, step.outcome
        );
    }
    text
}

/// Lists are the same wherever they are cut off.
fn matters(operation: &str) -> bool {
    let prefixes = [
        "create", "update", "delete", "attach", "detach", "start", "stop", "get",
    ];
    prefixes.iter().any(|prefix| operation.starts_with(prefix))
}

/// What a crash in the middle of a write leaves.
fn tear(dir: &Path) {
    use std::io::Write as _;
    let path = dir.join("journal.jsonl");
    if let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(path) {
        file.write_all(b"{\"v\":1,\"at\":\"20").expect("writes");
    }
}

/// What a power cut may leave at least: the journal up to the last record that was waited for.
pub(crate) fn lose_unsynced(dir: &Path) {
    let path = dir.join("journal.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return;
    };
    let is_outcome = |line: &str| {
        let line: Result<serde_json::Value, _> = serde_json::from_str(line);
        line.map_or(true, |line| {
            line["record"] == "succeeded" || line["record"] == "failed"
        })
    };
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.iter().rposition(|line| !is_outcome(line));
    let kept = kept.map_or(0, |last| last + 1);
    let text: String = lines[..kept]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(path, text).expect("writes");
}

pub(crate) fn summary(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let (action, addr, count) = (change.action.as_str(), &change.addr, change.count);
        format!("{action} {addr} x{count}: {}", change.reason)
    });
    changes.collect()
}
