//! A run: it holds the lease, and applies.

use std::collections::BTreeSet;
use std::sync::Arc;

use strat_engine::{
    Consent, Event, ExecuteOptions, Journal, Observation, Problem, Report, SettleReport, Spending,
    Stop, UserDataSource, execute, retention,
};
use strat_model::{Addr, Name};
use strat_planner::{Action, Change, Claims, Desired, Mode, Refused, Withheld, lint, lower};

use tracing::Instrument as _;

use crate::budget::over_budget;
use crate::consent::consent;
use crate::identity::Accounts;
use crate::learned::Learned;
use crate::leases::Leased;
use crate::phase::phase;
use crate::relocation::relocations;
use crate::rounds::Rounds;
use crate::stuck::Stuck;
use crate::{
    AllowDataLoss, Error, PlanOptions, Planned, Policies, Relocation, SavedPlan, Session, Verdict,
    moved, policy,
};

/// How often an apply plans again because of what is out of stock.
const ROUNDS_MAX: usize = 16;

/// How a plan is applied.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Consent to a plan that deletes a large part of the topology.
    pub allow_deletes: bool,
    /// Consent to the loss of data, thing by thing.
    pub allow_data_loss: Vec<AllowDataLoss>,
    /// The machines whose power is cut if they do not shut down in time, though they have volumes.
    pub force_stop: Vec<Addr>,
    /// Whether nothing is planned again in this run where something is out of stock.
    pub only_once: bool,
    /// What decides over the plan, and over each that it becomes where something runs out.
    pub policies: Option<Arc<dyn Policies>>,
    /// Who may end it early.
    pub stop: Stop,
    /// Bounds of the run.
    pub execute: ExecuteOptions,
}

/// What an apply came to.
#[derive(Debug, Clone)]
pub struct ApplyOutcome {
    /// What became of the steps: one report, and one more for each time that something was out of
    /// stock and it was planned again.
    pub reports: Vec<Report>,
    /// Which machines could not be had where they were to be, why, and where they went.
    pub relocations: Vec<Relocation>,
    /// Why the last of those were placed nowhere else, if they were not.
    pub stuck: Option<Stuck>,
    /// What there is now.
    pub observation: Observation,
    /// What an interrupted run had left open and could not be closed.
    pub unsettled: Vec<Problem>,
    /// What cannot be made as the topology says.
    pub refused: Vec<Refused>,
    /// What was left as it is, because too little is known.
    pub withheld: Vec<Withheld>,
    /// What an interrupted run had begun to make, was waited for before the plan, and is still not ready.
    pub unfinished: Vec<Addr>,
    /// What policies said of its plans, and did not deny.
    pub policy: Vec<Verdict>,
}

impl ApplyOutcome {
    /// Whether everything is as it was to be, everywhere.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.reports.last().is_none_or(Report::is_success)
            && self.observation.problems.is_empty()
            && self.unsettled.is_empty()
            && self.refused.is_empty()
            && self.unfinished.is_empty()
    }

    /// Whether it was stopped before its end.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.reports.last().is_some_and(|report| report.interrupted)
    }
}

/// The right to write to a topology's things. End it with [`Run::end`]; a run that is dropped
/// leaves leases that end by themselves.
#[derive(Debug)]
pub struct Run<'a> {
    pub(crate) session: &'a Session,
    pub(crate) journal: Journal,
    pub(crate) leased: Leased,
    pub(crate) settled: SettleReport,
    pub(crate) accounts: Accounts,
}

impl<'a> Run<'a> {
    /// Looks at everything. Of a site whose lease is not ours, nothing counts as seen: another run
    /// may be changing it at this moment, and nothing is to be changed there.
    pub(crate) async fn observe(&self) -> Observation {
        let (journal, accounts) = (&self.journal, &self.accounts);
        let withheld = &self.leased.withheld;
        self.session.observe_but(journal, accounts, withheld).await
    }

    /// What an interrupted run had left open.
    #[must_use]
    pub fn settled(&self) -> &SettleReport {
        &self.settled
    }

    /// Observes and plans. What an interrupted run began, and what is still being made, is waited for
    /// before.
    ///
    /// # Errors
    /// If something of the topology finds no place.
    pub async fn plan(&self, options: &PlanOptions) -> Result<Planned, Error> {
        let mut observation = self.observe_ready(options.mode).await;
        let claims = &options.claims;
        self.session.look_at(&mut observation, claims).await?;
        self.session
            .plan_looking(observation, &self.journal, options)
            .await
    }

    /// Applies a saved plan, if the world and the topology are what they were when it was made.
    ///
    /// # Errors
    /// As [`Run::apply`], and [`Error::Moved`] if something is not as it was.
    pub async fn apply_saved(
        &self,
        saved: &SavedPlan,
        options: &ApplyOptions,
    ) -> Result<ApplyOutcome, Error> {
        permitted(saved, options)?;
        let fresh = self.check(saved).await?;
        let planned = Planned {
            saved: saved.clone(),
            ..fresh
        };
        self.apply(&planned, options).await
    }

    /// Applies a plan that this run made.
    ///
    /// Nothing is called before the plan was found free of protected things, and agreed to where
    /// it deletes much or data is lost. What changed since the plan was made is left alone, and its step fails.
    /// Where something is out of stock, the rest is planned again with what else the topology
    /// permits; nothing is deleted that the plan did not delete.
    ///
    /// # Errors
    /// If the plan is refused. A step that fails is no error: the outcome tells.
    pub async fn apply(
        &self,
        planned: &Planned,
        options: &ApplyOptions,
    ) -> Result<ApplyOutcome, Error> {
        let consent = permitted(&planned.saved, options)?;
        self.is_whole(planned)?;
        let workspace = self.session.workspace();
        policy::permits(&planned.saved.policy, workspace)?;
        let policies = options.policies.as_ref();
        let mut said = policy::permitted(policies, planned, workspace)?;
        let mut next: Option<Planned> = None;
        let mut reports = Vec::new();
        let mut stuck = None;
        let spending = Spending::of(&planned.saved.plan);
        let mut rounds = Rounds::begin(&planned.saved.plan, self.session.stock_file());
        loop {
            let round = next.as_ref().unwrap_or(planned);
            if round.saved.plan.is_empty() {
                break;
            }
            let report = self.execute(round, &consent, &spending, options).await?;
            let now = self.session.clock().now();
            let (short, warning) = rounds.learn(&report, &round.observation.facts, now);
            if let Some(message) = warning {
                self.session.events().send(Event::Warning { message });
            }
            let over = report.fatal.is_some() || report.interrupted || options.only_once;
            reports.push(report);
            if !short || over {
                break;
            }
            if reports.len() >= ROUNDS_MAX {
                stuck = Some(Stuck::TooOften(ROUNDS_MAX));
                break;
            }
            match self.around(&rounds, &planned.saved, policies).await {
                Ok((other, more)) => {
                    said.extend(more);
                    next = Some(other);
                }
                Err(why) => {
                    stuck = Some(why);
                    break;
                }
            }
        }
        let reached = next.as_ref().unwrap_or(planned);
        let mut outcome = self.finish(planned, &reached.desired, reports).await?;
        outcome.stuck = stuck;
        said.sort();
        said.dedup();
        outcome.policy = said;
        Ok(outcome)
    }

    /// Lets the leases go. Where calls were given up half-way they are kept, and end by themselves.
    ///
    /// # Errors
    /// If one cannot be written; it ends by itself then.
    pub async fn end(self) -> Result<(), Error> {
        Ok(self.leased.release().await?)
    }

    /// The plan as it would be made now, if that is the plan there is.
    async fn check(&self, saved: &SavedPlan) -> Result<Planned, Error> {
        let options = PlanOptions {
            mode: saved.plan.mode,
            targets: saved.targets.clone(),
            claims: Claims::of(&saved.plan),
            ..PlanOptions::default()
        };
        if saved.plan.topology != *self.session.workspace().owner() {
            let moved = vec![format!(
                "it is for the topology `{}`, and this is `{}`",
                saved.plan.topology,
                self.session.workspace().owner()
            )];
            return Err(Error::Moved { moved });
        }
        let without = self.session.workspace().left_out();
        if saved.without != *without {
            let moved = vec![format!(
                "it was made {}, and this is {}",
                with_or_without(&saved.without),
                with_or_without(without)
            )];
            return Err(Error::Moved { moved });
        }
        let mut observation = self.observe_ready(options.mode).await;
        let claims = &options.claims;
        self.session.look_at(&mut observation, claims).await?;
        // The world first: with what it has become, there may be no plan at all.
        let mut moved = moved::world(&saved.plan, &observation.inventory);
        if moved.is_empty() {
            // What was avoided then is avoided now, or nothing: another plan would be another plan.
            let avoided = &saved.plan.avoided;
            let fresh = self
                .session
                .plan_around(observation, &self.journal, &options, avoided)?;
            moved = moved::topology(&saved.plan, &fresh.saved.plan);
            if moved.is_empty() {
                // At the prices of now.
                over_budget(&fresh.saved.plan)?;
                return Ok(fresh);
            }
        }
        Err(Error::Moved { moved })
    }

    async fn execute(
        &self,
        round: &Planned,
        consent: &Consent,
        spending: &Spending,
        options: &ApplyOptions,
    ) -> Result<Report, Error> {
        let (session, plan) = (self.session, &round.saved.plan);
        self.leased.held.folder()?;
        let seen = &round.observation;
        let graph = phase!("order").in_scope(|| lower(plan, &seen.inventory, &seen.facts));
        if cfg!(debug_assertions) {
            let faults = lint(plan, &graph, &seen.inventory, &seen.facts);
            assert!(
                faults.is_empty(),
                "this is a bug of the planner: {faults:#?}"
            );
        }
        Ok(execute(strat_engine::Run {
            plan,
            graph: &graph,
            sites: session.sites(),
            inventory: &seen.inventory,
            user_data: &UserDataSource::of(&round.desired),
            journal: &self.journal,
            consent,
            spending,
            leases: &self.leased.held,
            clock: &**session.clock(),
            events: session.events(),
            health: &**session.health(),
            stop: &options.stop,
            options: options.execute,
        })
        .instrument(phase!("execute"))
        .await)
    }

    /// The next round, without what is out of stock; or why there is no other way.
    async fn around(
        &self,
        rounds: &Rounds,
        agreed: &SavedPlan,
        policies: Option<&Arc<dyn Policies>>,
    ) -> Result<(Planned, Vec<Verdict>), Stuck> {
        let observation = self.observe().await;
        let options = PlanOptions {
            mode: agreed.plan.mode,
            targets: agreed.targets.clone(),
            claims: Claims::of(&agreed.plan),
            ..PlanOptions::default()
        };
        let avoided = self.session.avoided(&rounds.avoid, &observation.facts);
        let next = self
            .session
            .plan_around(observation, &self.journal, &options, &avoided);
        let refused = |error| Stuck::Refused(Arc::new(error));
        let next = next.map_err(refused)?;
        over_budget(&next.saved.plan).map_err(refused)?;
        let said = policy::permitted(policies, &next, self.session.workspace()).map_err(refused)?;
        if rounds.takes_nothing_more(&agreed.plan, &next.saved.plan) {
            Ok((next, said))
        } else {
            Err(Stuck::DeletesMore)
        }
    }

    /// Notes what was reached, and looks at it.
    async fn finish(
        &self,
        planned: &Planned,
        desired: &Desired,
        reports: Vec<Report>,
    ) -> Result<ApplyOutcome, Error> {
        let saved = &planned.saved;
        let now = self.session.clock().now();
        let owner = &saved.plan.topology;
        let reached = reports.last().is_none_or(Report::is_success);
        let releases = |change: &Change| change.action == Action::Forget;
        let whole = saved.targets.is_empty()
            && saved.plan.withheld.is_empty()
            && !saved.plan.changes.iter().any(releases);
        if reached && whole {
            let entries = desired.entries.iter();
            let entries = entries
                .map(|(addr, entry)| (addr.clone(), entry.count()))
                .collect();
            if self.journal.applied(owner).as_ref() != Some(&entries) {
                self.journal.record_applied(now, owner, &entries).await?;
            }
        }
        let observation = self.observe().await;
        let moves = &self.session.workspace().intent().moves;
        let steps = reports.iter().flat_map(|report| &report.steps);
        let made =
            steps.flat_map(|step| step.made.iter().map(|id| (step.site.clone(), id.clone())));
        let (made, journal) = (made.collect(), &self.journal);
        let learned = Learned::of((owner, moves), journal, &observation, desired, &made);
        learned.record(owner, &self.journal, now).await?;
        for (site, account) in &self.accounts.known {
            if self.journal.account(owner, site).as_ref() != Some(account) {
                let noted = self.journal.record_account(now, owner, site, account);
                noted.await?;
            }
        }
        self.journal
            .compact(now, retention(self.session.sites()))
            .instrument(phase!("compact"))
            .await?;
        Ok(ApplyOutcome {
            relocations: relocations(&reports),
            stuck: None,
            policy: Vec::new(),
            reports,
            unsettled: self.settled.problems.clone(),
            refused: saved.plan.refused.clone(),
            withheld: saved.plan.withheld.clone(),
            unfinished: self.unfinished(planned, &observation),
            observation,
        })
    }
}

/// `without site.east`, or `with every site`.
fn with_or_without(sites: &BTreeSet<Name>) -> String {
    let names: Vec<_> = sites.iter().map(|site| format!("site.{site}")).collect();
    match names.is_empty() {
        true => "with every site".to_owned(),
        false => format!("without {}", names.join(", ")),
    }
}

/// Whether a plan may be applied at all, and whose data may go with it.
fn permitted(saved: &SavedPlan, options: &ApplyOptions) -> Result<Consent, Error> {
    let plan = &saved.plan;
    let addrs: Vec<_> = plan.protected().map(|change| change.addr.clone()).collect();
    if !addrs.is_empty() {
        let mode = plan.mode;
        return Err(Error::Protected { addrs, mode });
    }
    over_budget(plan)?;
    match &plan.guard {
        Some(guard) if !options.allow_deletes && plan.mode == Mode::Apply => Err(Error::Guarded {
            deletes: guard.deletes,
            existing: guard.existing,
        }),
        _ => {
            let consent = consent(saved, &options.allow_data_loss)?;
            Ok(consent.and_to_cut(options.force_stop.iter().cloned()))
        }
    }
}
