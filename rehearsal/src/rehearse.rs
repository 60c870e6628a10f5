//! The rehearsal itself.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use stratiform::engine::{Observation, Report};
use stratiform::model::{ErrorView, Name};
use stratiform::planner::Plan;
use stratiform::provider::{Clock, TokioClock};
use stratiform::{
    AllowDataLoss, ApplyOptions, ApplyOutcome, EventSink, PlanOptions, Planned, RunOptions,
    Session, StateDir, Workspace,
};

use crate::copies::{Healthy, WorldCopy, copy, is_whole};
use crate::loss::Lost;
use crate::report::{NextApply, PlannedChange, Rehearsal};
use crate::{Error, Loss, load};

/// What of a state folder is copied: what a plan reads. A lease is not, for nobody else can be there.
const STATE_FILES: [&str; 2] = ["journal.jsonl", "stock.json"];

/// Rehearses losses in a topology whose world was observed. It runs on a runtime of its own, whose
/// clock jumps: call it from no other runtime. Only the topology's folder is read; nothing real is
/// called, and nothing is written but in a temporary folder.
///
/// # Errors
/// If a loss names nothing of the topology, or nothing was seen that could be copied. That an apply
/// is refused or fails is no error: the result says so.
pub fn rehearse(
    workspace: &Workspace,
    seen: &Observation,
    losses: &[Loss],
) -> Result<Rehearsal, Error> {
    let lost = Lost::of(losses, workspace.intent(), seen)?;
    let observed = seen.inventory.sites.values().map(|site| site.observed_at);
    let start = observed.max().ok_or(Error::NothingSeen)?;
    let sites = workspace.intent().sites.keys();
    let unseen: BTreeSet<Name> = sites
        .filter(|site| !is_whole(seen, site))
        .cloned()
        .collect();
    if unseen.len() == workspace.intent().sites.len() {
        return Err(Error::NothingSeen);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let stage = Stage {
        workspace,
        seen,
        start,
    };
    runtime.block_on(async {
        let (intact, timing) = stage.intact().await?;
        let mut next = vec![stage.apply(&lost, BTreeSet::new()).await?];
        if !lost.sites.is_empty() {
            next.push(stage.apply(&lost, lost.sites.clone()).await?);
        }
        let intent = workspace.intent();
        let loads = load::loads(intent, seen, seen, &lost);
        Ok(Rehearsal {
            fails: losses.iter().map(ToString::to_string).collect(),
            holds: loads.iter().all(|load| load.holds),
            down: load::down(intent, seen, &lost),
            loads,
            monthly_before: intact.cost.monthly_before,
            currency: intact.cost.currency,
            pending: intact.changes.len(),
            unseen,
            next,
            timing,
        })
    })
}

/// What all acts of a rehearsal begin from.
#[derive(Debug, Clone, Copy)]
struct Stage<'a> {
    workspace: &'a Workspace,
    seen: &'a Observation,
    start: Timestamp,
}

impl Stage<'_> {
    /// The plan before the loss, and how fast the copies are.
    async fn intact(
        self,
    ) -> Result<(Plan, std::collections::BTreeMap<Name, crate::Timing>), Error> {
        let nothing = Lost::default();
        let state = tempfile::tempdir()?;
        let clock = Arc::new(TokioClock::starting_at(self.start));
        let (session, timing) = self
            .session(&nothing, BTreeSet::new(), state.path(), clock)
            .await?;
        let planned = session.plan(&PlanOptions::default()).await?;
        Ok((planned.saved.plan, timing))
    }

    /// An apply after the loss.
    async fn apply(self, lost: &Lost, without: BTreeSet<Name>) -> Result<NextApply, Error> {
        let state = tempfile::tempdir()?;
        let clock = Arc::new(TokioClock::starting_at(self.start));
        let mut next = empty(&without);
        let session = self
            .session(lost, without, state.path(), clock.clone())
            .await;
        let session = match session {
            Ok((session, _)) => session,
            // That no site is left to plan for is what the rehearsal found out.
            Err(Error::Library(error)) => return Ok(refused(next, &error)),
            Err(error) => return Err(error),
        };
        let begun = clock.now();
        let run = session.begin(&RunOptions::new("rehearse")).await?;
        let planned = match run.plan(&PlanOptions::default()).await {
            Ok(planned) => planned,
            Err(error) => {
                run.end().await?;
                return Ok(refused(next, &error));
            }
        };
        tell_plan(&mut next, &planned);
        // Whoever applies it has to name what is lost; the command says so.
        let options = ApplyOptions {
            allow_data_loss: AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        for loss in &planned.saved.plan.data_loss {
            next.command = format!("{} {}", next.command, stratiform::argument(loss));
        }
        let applied = run.apply(&planned, &options).await;
        let took = clock.now().duration_since(begun);
        next.took_ms = u64::try_from(took.as_millis()).unwrap_or_default();
        let after = run.plan(&PlanOptions::default()).await;
        run.end().await?;
        let outcome = match applied {
            Ok(outcome) => outcome,
            Err(error) => return Ok(refused(next, &error)),
        };
        if let Ok(after) = after {
            next.monthly_after = after.saved.plan.cost.monthly_before;
        }
        tell_outcome(&mut next, &outcome);
        let intent = self.workspace.intent();
        next.loads = load::loads(intent, self.seen, &outcome.observation, lost);
        next.holds = next.loads.iter().all(|load| load.holds);
        Ok(next)
    }

    /// A session on fresh copies.
    async fn session(
        self,
        lost: &Lost,
        without: BTreeSet<Name>,
        state: &Path,
        clock: Arc<TokioClock>,
    ) -> Result<(Session, std::collections::BTreeMap<Name, crate::Timing>), Error> {
        for file in STATE_FILES {
            let from = self.workspace.state().path().join(file);
            if from.exists() {
                std::fs::copy(from, state.join(file))?;
            }
        }
        let WorldCopy { registry, timing } = copy(self.workspace, self.seen, lost, clock.clone())?;
        let workspace = self.workspace.elsewhere(registry, StateDir::at(state));
        let workspace = workspace.leaving_out(without)?;
        let session = Session::connect_with(workspace, EventSink::none(), clock).await?;
        Ok((session.with_health_probe(Arc::new(Healthy)), timing))
    }
}

fn empty(without: &BTreeSet<Name>) -> NextApply {
    let words = without.iter().map(|site| format!(" --without site.{site}"));
    NextApply {
        command: format!("strat apply{}", words.collect::<String>()),
        without: without.clone(),
        refused: None,
        summary: None,
        changes: Vec::new(),
        withheld: Vec::new(),
        monthly_after: None,
        took_ms: 0,
        ends_well: false,
        failed: Vec::new(),
        placed_elsewhere: Vec::new(),
        loads: Vec::new(),
        holds: false,
    }
}

fn refused(next: NextApply, error: &stratiform::Error) -> NextApply {
    NextApply {
        refused: Some(error.to_string()),
        ..next
    }
}

fn tell_plan(next: &mut NextApply, planned: &Planned) {
    let plan = &planned.saved.plan;
    next.summary = Some(plan.summary);
    let changes = plan.changes.iter().map(|change| PlannedChange {
        addr: change.addr.clone(),
        action: change.action,
        count: change.count,
        reason: change.reason.clone(),
    });
    next.changes = changes.collect();
    next.withheld.clone_from(&plan.withheld);
    next.monthly_after = plan.cost.monthly_after;
}

fn tell_outcome(next: &mut NextApply, outcome: &ApplyOutcome) {
    next.ends_well = outcome.is_success();
    let last = outcome.reports.last();
    let failures = last.into_iter().flat_map(Report::failures);
    let failed = failures.map(|(step, error)| {
        // The same failure of many calls is told once.
        let request_id = None;
        let view = ErrorView {
            request_id,
            ..error.view()
        };
        format!("{}: {view}", step.addr)
    });
    let failed: BTreeSet<String> = failed.collect();
    next.failed = failed.into_iter().collect();
    next.failed
        .extend(outcome.stuck.as_ref().map(ToString::to_string));
    for relocation in outcome.relocations.iter().map(ToString::to_string) {
        // The same is told once, in however many rounds it happened.
        if !next.placed_elsewhere.contains(&relocation) {
            next.placed_elsewhere.push(relocation);
        }
    }
}
