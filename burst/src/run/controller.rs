//! The controller and its rounds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strat_burst_policy::{Forecaster, Policy, Record};
use strat_model::burst::BurstIntent;
use stratiform::engine::{Holder, LeaseGuard};
use stratiform::provider::Clock;
use stratiform::provider::layers::CallObserver;
use stratiform::{Error, EventSink, HealthProbe, Session, Stop, Workspace, is_led_by_another};

use super::drain::Hooks;
use super::reload;
use crate::log::{Done, Learnt, Log};
use crate::pause::Pause;
use crate::signals::Measure;
use crate::status::{BurstStatus, FORMAT_VERSION, LeaderStatus, Status};

/// The matter in which one controller leads.
const MATTER: &str = "burst";
/// What a run of a decision is called where its lease is seen.
pub(super) const COMMAND: &str = "burst run";

/// Reads the topology: at the beginning, and again at each round.
pub type Load = Box<dyn Fn() -> Result<Workspace, Error> + Send + Sync>;

/// What a controller is given.
pub struct Options {
    /// The time from one decision to the next; `None`: what each burst says.
    pub interval: Option<Duration>,
    /// Reads the topology.
    pub load: Load,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who measures.
    pub signals: Arc<dyn Measure>,
    /// Who asks machines to empty themselves.
    pub hooks: Arc<dyn Hooks>,
    /// Who asks machines whether they do their work; `None`: this process, over the network.
    pub health: Option<Arc<dyn HealthProbe>>,
    /// Where events of runs go.
    pub events: EventSink,
    /// Who is told of every call to a provider.
    pub observers: Vec<Arc<dyn CallObserver>>,
    /// Who runs, for whoever finds a lease held; `None` is this process.
    pub holder: Option<Holder>,
}

/// Why a controller cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The library says so.
    #[error(transparent)]
    Library(#[from] Error),
    /// The topology has no burst.
    #[error("the topology has no `burst`")]
    NoBurst,
    /// A burst is impossible.
    #[error("burst.{name} is not possible: {why}")]
    Policy {
        /// Its name.
        name: String,
        /// Why.
        why: strat_burst_policy::PolicyError,
    },
}

/// What a round came to.
#[derive(Debug)]
pub struct Round {
    /// When it began.
    pub at: Timestamp,
    /// Whether this controller leads.
    pub leading: bool,
    /// What changed in the topology, setting by setting.
    pub reloaded: Vec<String>,
    /// What was decided, and what came of it.
    pub decided: Vec<(Record, Option<Done>)>,
    /// What was wrong with the round as a whole.
    pub problems: Vec<String>,
    /// How bursts do now.
    pub status: Status,
    /// How long until the next one.
    pub next_in: Duration,
}

/// What is known of one burst from round to round.
pub(super) struct Kept {
    pub(super) policy: Policy,
    pub(super) log: Log,
    pub(super) last: Option<(Record, Option<Done>)>,
    pub(super) learnt: Learnt,
    pub(super) forecasters: Vec<Forecaster>,
    pub(super) status: Option<BurstStatus>,
}

/// Looks, decides and carries out.
pub struct Controller {
    pub(super) options: Options,
    pub(super) workspace: Workspace,
    pub(super) session: Option<Session>,
    pub(super) bursts: BTreeMap<String, Kept>,
    holder: Holder,
    lead: Option<LeaseGuard>,
    leader: Option<LeaderStatus>,
    pub(super) pause: Option<Pause>,
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bursts: Vec<&String> = self.bursts.keys().collect();
        f.debug_struct("Controller")
            .field("bursts", &bursts)
            .finish_non_exhaustive()
    }
}

impl Controller {
    /// A controller of all bursts of a topology. Nothing is called yet.
    ///
    /// # Errors
    /// If the topology cannot be read, or has no burst that is possible.
    pub fn new(options: Options) -> Result<Self, RunError> {
        let workspace = (options.load)()?;
        if workspace.intent().bursts.is_empty() {
            return Err(RunError::NoBurst);
        }
        let now = options.clock.moment().wall;
        let holder = options
            .holder
            .clone()
            .unwrap_or_else(|| Holder::this_process(COMMAND, now));
        let mut controller = Self {
            options,
            workspace,
            session: None,
            bursts: BTreeMap::new(),
            holder,
            lead: None,
            leader: None,
            pause: None,
        };
        let intents = controller.workspace.intent().bursts.clone();
        for intent in &intents {
            let kept = controller.keep(intent)?;
            controller.bursts.insert(intent.policy.name.clone(), kept);
        }
        Ok(controller)
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.options.clock
    }

    /// The time of day, which jumps when the system's clock is set or the host was suspended: the policy
    /// knows how to take that.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.moment().wall
    }

    /// The topology, as it was read last.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The time from one decision to the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let bursts = self.bursts.values();
        let shortest = bursts.map(|kept| kept.policy.settings().interval_s).min();
        let own = || Duration::from_secs(shortest.unwrap_or(60));
        self.options.interval.unwrap_or_else(own)
    }

    fn keep(&self, intent: &BurstIntent) -> Result<Kept, RunError> {
        let name = intent.policy.name.clone();
        let mut settings = intent.policy.clone();
        if let Some(interval) = self.options.interval {
            settings.interval_s = interval.as_secs().max(1);
        }
        let policy = Policy::new(settings).map_err(|why| RunError::Policy {
            name: name.clone(),
            why,
        })?;
        let log = Log::of(self.workspace.state().path(), &name);
        // What was decided before is a help, and no more: without it, times begin anew.
        let last = log.last().ok().flatten();
        let learnt = last
            .as_ref()
            .map(|(decided, _)| decided.learnt.clone())
            .unwrap_or_default();
        Ok(Kept {
            policy,
            log,
            last: last.map(|(decided, done)| (decided.record, done)),
            learnt,
            forecasters: Vec::new(),
            status: None,
        })
    }

    /// One round: looks, decides, and carries out what was decided.
    pub async fn round(&mut self, stop: &Stop) -> Round {
        let at = self.now();
        let mut round = Round {
            at,
            leading: false,
            reloaded: Vec::new(),
            decided: Vec::new(),
            problems: Vec::new(),
            status: self.status(at, false, Vec::new()),
            next_in: self.interval(),
        };
        self.reload(&mut round);
        self.look_for_a_pause(&mut round);
        if let Err(error) = self.connect().await {
            round.problems.push(said(&error));
        } else if self.is_leading(&mut round).await {
            round.leading = true;
            self.decide_all(&mut round, stop).await;
        }
        let spent = self.now().duration_since(at);
        let spent = Duration::try_from(spent).unwrap_or_default();
        round.next_in = self.interval().saturating_sub(spent);
        round.status = self.status(at, round.leading, round.problems.clone());
        if round.leading
            && let Err(error) = round.status.write(self.workspace.state().path())
        {
            round
                .problems
                .push(format!("the status cannot be written: {error}"));
        }
        round
    }

    /// Gives the lead back.
    pub async fn end(&mut self) {
        if let Some(lead) = self.lead.take() {
            // It ends by itself where it cannot be given back.
            let _ = lead.release().await;
        }
    }

    fn status(&self, at: Timestamp, leading: bool, problems: Vec<String>) -> Status {
        Status {
            format_version: FORMAT_VERSION,
            at,
            interval_s: self.interval().as_secs(),
            leader: self.leader.clone(),
            leading,
            paused: self.pause.clone(),
            bursts: self
                .bursts
                .values()
                .filter_map(|kept| kept.status.clone())
                .collect(),
            problems,
        }
    }

    /// Reads the topology again. One that is wrong, or has no burst any more, changes nothing.
    fn reload(&mut self, round: &mut Round) {
        let fresh = match (self.options.load)() {
            Ok(fresh) => fresh,
            Err(error) => {
                let why = said(&error);
                let told = format!("the topology is wrong, and the last one goes on: {why}");
                round.problems.push(told);
                return;
            }
        };
        let (before, after) = (&self.workspace.intent().bursts, &fresh.intent().bursts);
        if fresh.sources().is_same_text(self.workspace.sources()) {
            return;
        }
        round.reloaded = reload::changes(before, after);
        let intents = after.clone();
        let before = std::mem::replace(&mut self.workspace, fresh);
        let mut bursts = BTreeMap::new();
        for intent in &intents {
            match self.keep(intent) {
                Ok(mut kept) => {
                    if let Some(known) = self.bursts.remove(&intent.policy.name) {
                        kept.last = known.last;
                        kept.learnt = known.learnt;
                        kept.status = known.status;
                    }
                    bursts.insert(intent.policy.name.clone(), kept);
                }
                Err(error) => {
                    round.problems.push(error.to_string());
                    self.workspace = before;
                    return;
                }
            }
        }
        self.bursts = bursts;
        self.session = None;
    }

    /// Whether somebody asked that nothing be done. What cannot be read counts as that.
    fn look_for_a_pause(&mut self, round: &mut Round) {
        self.pause = match Pause::read(self.workspace.state().path()) {
            Ok(pause) => pause,
            Err(error) => {
                let why = format!("nobody knows whether it is paused, so nothing is done: {error}");
                round.problems.push(why.clone());
                Some(Pause {
                    since: round.at,
                    by: COMMAND.to_owned(),
                    why: Some(why),
                })
            }
        };
    }

    /// Connects to the sites, again where one gave no answer.
    async fn connect(&mut self) -> Result<(), Error> {
        let whole = |session: &Session| session.unreachable().is_empty();
        if self.session.as_ref().is_some_and(whole) {
            return Ok(());
        }
        let options = &self.options;
        let (clock, events) = (Arc::clone(&options.clock), options.events.clone());
        let workspace = self.workspace.clone();
        let observers = options.observers.clone();
        let session = Session::connect_observed(workspace, events, clock, observers).await?;
        self.session = Some(match &options.health {
            Some(health) => session.with_health_probe(Arc::clone(health)),
            None => session,
        });
        Ok(())
    }

    /// Whether this controller leads: it takes the lead if nobody has it.
    async fn is_leading(&mut self, round: &mut Round) -> bool {
        if let Some(lead) = &self.lead {
            match lead.check() {
                Ok(lease) => {
                    self.leader = Some(LeaderStatus::of(&lease));
                    return true;
                }
                Err(error) => {
                    round.problems.push(format!("the lead is lost: {error}"));
                    self.lead = None;
                }
            }
        }
        let Some(session) = &self.session else {
            return false;
        };
        match session.lead(MATTER, &self.holder).await {
            Ok(lead) => {
                self.leader = lead.check().ok().map(|lease| LeaderStatus::of(&lease));
                self.lead = Some(lead);
                true
            }
            Err(error) => {
                self.leader = None;
                let led = is_led_by_another(&error);
                let what = if led {
                    "another leads"
                } else {
                    "nobody knows who leads"
                };
                round.problems.push(format!("{what}: {}", said(&error)));
                false
            }
        }
    }

    /// The generation of the lead, while it is ours.
    pub(super) fn epoch(&self) -> Option<u64> {
        let lease = self.lead.as_ref()?.check().ok()?;
        Some(lease.generation)
    }
}

/// An error and what lies under it, in one line.
pub(super) fn said(error: &Error) -> String {
    crate::signals::in_one_line(error)
}
