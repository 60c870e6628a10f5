//! A workspace whose sites are connected: it observes and plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use strat_engine::{
    Event, EventSink, HealthProbe, Journal, NetProbe, Observation, Problem, Sites, observe,
};
use strat_model::{Coverage, LocalAddr, Name, SiteInventory};
use strat_planner::{
    Claims, Desired, DiffOptions, Edits, Explanation, Mode, PlaceOptions, Scale, StockBook,
    StockEntry, Target, claim, diff, place_with, rename,
};
use strat_provider::layers::{CallObserver, WriteGate};
use strat_provider::{Clock, TokioClock};
use tracing::Instrument as _;

use crate::identity::Accounts;
use crate::lease_store::LeaseStore;
use crate::phase::phase;
use crate::{
    Error, Run, RunOptions, SavedPlan, Workspace, lookups, measure, planned_outputs, sites, stock,
    targets,
};

/// What is to be planned.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// What the plan is for.
    pub mode: Mode,
    /// Only these, and what they need; empty is everything.
    pub targets: Vec<Target>,
    /// Whether to ask again for what was out of stock a moment ago.
    pub ignore_stock_outs: bool,
    /// What a person says is the topology's, or is to be made anew.
    pub claims: Claims,
    /// What decisions of bursts make of fleets: then nothing else is planned.
    pub scales: BTreeMap<LocalAddr, Scale>,
}

/// A plan, and what it was made from.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The plan, ready to be applied or written to disk.
    pub saved: SavedPlan,
    /// What there was.
    pub observation: Observation,
    /// What is to be.
    pub desired: Desired,
}

/// A workspace with its sites connected.
#[derive(Debug)]
pub struct Session {
    workspace: Workspace,
    sites: Sites,
    unreachable: Vec<Problem>,
    /// What lets writes through to each site, while a run holds its lease.
    pub(crate) gates: BTreeMap<Name, WriteGate>,
    pub(crate) lease_store: Option<LeaseStore>,
    clock: Arc<dyn Clock>,
    events: EventSink,
    health: Arc<dyn HealthProbe>,
}

impl Session {
    /// Connects to every site. One that cannot be reached is a [`Problem`] of every observation,
    /// and what is there is left as it is.
    ///
    /// # Errors
    /// If no site at all can be reached: the first one's error.
    pub async fn connect(workspace: Workspace) -> Result<Self, Error> {
        Self::connect_with(workspace, EventSink::none(), Arc::new(TokioClock::system())).await
    }

    /// As [`Session::connect`], with somewhere for events to go and a clock.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect_with(
        workspace: Workspace,
        events: EventSink,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Self::connect_observed(workspace, events, clock, Vec::new()).await
    }

    /// As [`Session::connect_with`], with observers of every call to a provider: for timings.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect_observed(
        workspace: Workspace,
        events: EventSink,
        clock: Arc<dyn Clock>,
        observers: Vec<Arc<dyn CallObserver>>,
    ) -> Result<Self, Error> {
        let context = workspace.context(Arc::clone(&clock));
        let names = workspace.intent().sites.keys().cloned();
        let gates = names.map(|site| (site, WriteGate::shut())).collect();
        let lease_store = LeaseStore::of(&workspace, &context).await?;
        let store = lease_store.as_ref();
        let (sites, unreachable) =
            sites::connect(&workspace, &context, observers, &gates, store, &events)
                .instrument(phase!("connect"))
                .await;
        if let (true, Some(problem)) = (sites.is_empty(), unreachable.first()) {
            return Err(Error::Site {
                site: problem.site.clone(),
                source: Arc::clone(&problem.error),
            });
        }
        Ok(Self {
            workspace,
            sites,
            unreachable,
            gates,
            lease_store,
            clock,
            events,
            health: Arc::new(NetProbe),
        })
    }

    /// Lets somebody else ask machines whether they are healthy; otherwise this process does, over
    /// the network.
    #[must_use]
    pub fn with_health_probe(mut self, health: Arc<dyn HealthProbe>) -> Self {
        self.health = health;
        self
    }

    /// Who asks machines whether they are healthy.
    #[must_use]
    pub fn health(&self) -> &Arc<dyn HealthProbe> {
        &self.health
    }

    /// The topology.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The connected sites.
    #[must_use]
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// The sites that could not be connected.
    #[must_use]
    pub fn unreachable(&self) -> &[Problem] {
        &self.unreachable
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Where events go.
    #[must_use]
    pub fn events(&self) -> &EventSink {
        &self.events
    }

    /// The journal of this topology, to read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn journal(&self) -> Result<Journal, Error> {
        Ok(Journal::open(self.workspace.state().path())?)
    }

    /// Looks at everything that is the topology's, everywhere.
    ///
    /// # Errors
    /// If the journal cannot be read. What a site does not show is a problem, no error.
    pub async fn observe(&self) -> Result<Observation, Error> {
        let journal = self.journal()?;
        let accounts = self.accounts(&journal).await?;
        Ok(self.observe_with(&journal, &accounts).await)
    }

    /// Observes and plans, without the lease: for reading. What another run does meanwhile may
    /// or may not be seen.
    ///
    /// # Errors
    /// If something of the topology finds no place, or the journal cannot be read.
    pub async fn plan(&self, options: &PlanOptions) -> Result<Planned, Error> {
        let journal = self.journal()?;
        let accounts = self.accounts(&journal).await?;
        let mut observation = self.observe_with(&journal, &accounts).await;
        self.look_at(&mut observation, &options.claims).await?;
        self.plan_looking(observation, &journal, options).await
    }

    /// Observes, and says why a machine or fleet goes where a plan with these options would put it.
    ///
    /// # Errors
    /// [`Error::NoSuchTarget`] if the topology has no such machine, or not enough was seen to say;
    /// and if the journal cannot be read.
    pub async fn explain(
        &self,
        addr: &LocalAddr,
        options: &PlanOptions,
    ) -> Result<(Explanation, Observation), Error> {
        let intent = self.workspace.intent();
        targets::check_machine(addr, intent)?;
        let observation = self.observe().await?;
        let avoided = self.avoided(&self.stock(options), &observation.facts);
        let book = StockBook::of(avoided);
        let on_sale = book.without(&observation.facts, Timestamp::MIN);
        let place_options = PlaceOptions {
            full: book.full(Timestamp::MIN),
            ..PlaceOptions::default()
        };
        let seen = &observation.inventory;
        match strat_planner::explain(intent, &on_sale, seen, addr, &place_options) {
            Some(explanation) => Ok((explanation, observation)),
            None => Err(Error::Unseen { addr: addr.clone() }),
        }
    }

    /// What was out of stock lately, as the state folder has it: entries that have expired are in
    /// it too, since how long something is left alone grows with each refusal.
    #[must_use]
    pub fn stock_book(&self) -> StockBook {
        let (book, warning) = self.stock_file().read();
        if let Some(message) = warning {
            self.events.send(Event::Warning { message });
        }
        book
    }

    /// Takes the lease and closes what an interrupted run left open.
    ///
    /// # Errors
    /// If another run holds the lease, or the state folder cannot be written.
    pub async fn begin(&self, options: &RunOptions) -> Result<Run<'_>, Error> {
        Run::begin(self, options).await
    }

    pub(crate) async fn observe_with(&self, journal: &Journal, accounts: &Accounts) -> Observation {
        let owner = self.workspace.owner();
        let moves = &self.workspace.intent().moves;
        let mut sites = self.sites.clone();
        sites.retain(|site, _| !accounts.is_silent(site));
        let looked = observe(&sites, owner, moves, journal, &*self.clock, &self.events);
        let mut observation = looked.instrument(phase!("observe")).await;
        let intent = self.workspace.intent();
        lookups::look_up(intent, &sites, &mut observation.inventory).await;
        measure::add_all(intent, &observation.inventory, &mut observation.facts);
        for problem in self.unreachable.iter().chain(&accounts.silent) {
            let partial = Coverage::Partial {
                why: problem.error.to_string(),
            };
            let unseen = SiteInventory::nothing(self.clock.now(), &partial);
            let sites = &mut observation.inventory.sites;
            sites.insert(problem.site.clone(), unseen);
            observation.problems.push(problem.clone());
        }
        self.place(&mut observation, journal, accounts);
        if let Some((other, count)) = self.namesake(journal) {
            let owner = self.workspace.owner().clone();
            let error = Error::Renamed {
                other,
                count,
                owner,
            };
            let help = error.help().unwrap_or_default();
            let message = format!("{error}; {help}");
            self.events.send(Event::Warning { message });
        }
        observation
            .problems
            .sort_by(|a, b| (&a.site, a.kind).cmp(&(&b.site, b.kind)));
        observation
    }

    /// Plans, looks at what is there by the names of what would be made, and, if anything is, plans
    /// again with that.
    pub(crate) async fn plan_looking(
        &self,
        observation: Observation,
        journal: &Journal,
        options: &PlanOptions,
    ) -> Result<Planned, Error> {
        let stock = self.stock(options);
        let mut edits = Edits::default();
        let mut planned = self.plan_from(observation, journal, options, &stock, &mut edits)?;
        let seen = &mut planned.observation;
        if self.look_before(seen, &planned.saved.plan).await {
            let seen = planned.observation;
            return self.plan_from(seen, journal, options, &stock, &mut edits);
        }
        Ok(planned)
    }

    /// Plans without what the book says is out of stock. Where nothing else is permitted, it is
    /// asked for again: a refusal is no worse than no plan.
    pub(crate) fn plan_from(
        &self,
        mut observation: Observation,
        journal: &Journal,
        options: &PlanOptions,
        book: &StockBook,
        edits: &mut Edits,
    ) -> Result<Planned, Error> {
        self.claim(&mut observation, options, edits)?;
        let avoided = self.avoided(book, &observation.facts);
        let around = self.plan_within(&observation, journal, options, &avoided, edits);
        let (saved, desired) = match around {
            Err(_) if !avoided.is_empty() => {
                self.plan_within(&observation, journal, options, &[], edits)?
            }
            planned => planned?,
        };
        Ok(Planned {
            saved,
            desired,
            observation,
        })
    }

    /// Plans without what is listed here, or not at all.
    pub(crate) fn plan_around(
        &self,
        mut observation: Observation,
        journal: &Journal,
        options: &PlanOptions,
        avoided: &[StockEntry],
    ) -> Result<Planned, Error> {
        let mut edits = Edits::default();
        self.claim(&mut observation, options, &mut edits)?;
        let (saved, desired) = self.plan_within(&observation, journal, options, avoided, &edits)?;
        Ok(Planned {
            saved,
            desired,
            observation,
        })
    }

    /// Takes what a person said into what was seen. What is destroyed goes under the name that its
    /// mark has.
    fn claim(
        &self,
        observation: &mut Observation,
        options: &PlanOptions,
        edits: &mut Edits,
    ) -> Result<(), Error> {
        let (owner, seen) = (self.workspace.owner(), &mut observation.inventory);
        if options.mode == Mode::Apply {
            rename(seen, owner, &self.workspace.intent().moves, edits);
        }
        Ok(claim(seen, owner, &options.claims, edits)?)
    }

    /// Places and compares, with less on offer than there is. What runs already is compared with
    /// all that there is: its price and its family are known, whether more of it is sold or not.
    fn plan_within(
        &self,
        observation: &Observation,
        journal: &Journal,
        options: &PlanOptions,
        avoided: &[StockEntry],
        edits: &Edits,
    ) -> Result<(SavedPlan, Desired), Error> {
        let (facts, inventory) = (&observation.facts, &observation.inventory);
        let applied = journal.applied(self.workspace.owner());
        let mut desired = match options.mode {
            Mode::Apply => {
                let book = StockBook::of(avoided.iter().cloned());
                // Whether it has expired by now or not.
                let on_sale = book.without(facts, Timestamp::MIN);
                let place_options = PlaceOptions {
                    without: self.workspace.left_out().clone(),
                    targets: options.targets.clone(),
                    scales: options.scales.clone(),
                    full: book.full(Timestamp::MIN),
                };
                let intent = self.workspace.intent();
                lookups::check(&self.workspace, inventory)?;
                phase!("place")
                    .in_scope(|| place_with(intent, &on_sale, inventory, &place_options))
                    .map_err(|unplaced| self.workspace.no_place(unplaced))?
            }
            Mode::Destroy => Desired::nothing(self.workspace.owner().clone()),
        };
        if !avoided.is_empty() {
            stock::price(&mut desired, facts);
        }
        let reaches = match options.mode {
            Mode::Apply => self.check_reach(&desired, facts)?,
            Mode::Destroy => Vec::new(),
        };
        if options.scales.is_empty() {
            targets::check(&options.targets, &desired, inventory)?;
        }
        targets::check_claims(&options.claims, &desired, inventory)?;
        let diff_options = DiffOptions {
            mode: options.mode,
            targets: options.targets.clone(),
            without: self.workspace.left_out().clone(),
            edits: edits.clone(),
            only_edits: options.claims.only_adopt,
            release: options.claims.release.clone(),
            removed: self.workspace.intent().removed.clone(),
            replace: targets::replaced(&options.claims, self.workspace.owner(), inventory),
            ..DiffOptions::default()
        };
        let mut plan = phase!("compare")
            .in_scope(|| diff(&desired, inventory, facts, applied.as_ref(), &diff_options));
        plan.source = Some(self.workspace.source());
        plan.avoided = avoided.to_vec();
        let targets = options.targets.clone();
        let without = self.workspace.left_out().clone();
        let outputs = planned_outputs::changes(self.workspace.evaluated(), inventory, &plan);
        let saved = SavedPlan {
            outputs,
            plan,
            reaches,
            targets,
            without,
            lease_stores: Vec::new(),
            policy: Vec::new(),
        };
        Ok((saved, desired))
    }
}
