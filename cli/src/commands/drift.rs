//! `strat drift`

use clap::Args;
use stratiform::PlanOptions;
use stratiform::SavedPlan;
use stratiform::planner::{Cause, Summary};

use crate::args::{DetailArgs, TopologyArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;

/// Show what was changed behind Stratiform's back, and what `apply` would do about it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat drift
  strat drift --detailed-exitcode    # 0: none, 2: some, 1: an error
  strat drift --json | jq -r '.changes[].addr'")]
pub(crate) struct Drift {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    detail: DetailArgs,

    /// Write the changes as JSON.
    #[arg(long)]
    json: bool,

    /// Exit with 2 if there is drift.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Drift {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let planned = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            let planned = session.plan(&PlanOptions::default()).await;
            planned.map_err(|error| context.failure(&error))
        })?;
        context.tell_problems(&planned.observation.problems);
        let (saved, others) = only_drift(planned.saved);
        let drifted = !saved.plan.is_empty() || !saved.plan.refused.is_empty();
        if self.json {
            context.output.document(&saved)?;
        } else {
            let (detail, width) = (self.detail.detail(), context.output.width());
            context
                .output
                .data(&render::plan::drift(&saved.plan, others, detail, width))?;
        }
        Ok(Exit::detailed(
            self.detailed_exitcode,
            drifted,
            &planned.observation.problems,
        ))
    }
}

/// The plan with only what mends drift, and how many changes it had besides.
fn only_drift(mut saved: SavedPlan) -> (SavedPlan, usize) {
    let all = saved.plan.changes.len();
    saved
        .plan
        .changes
        .retain(|change| change.cause == Cause::Drift);
    let refused = &mut saved.plan.refused;
    refused.retain(|one| one.cause == Cause::Drift);
    let mut summary = Summary {
        no_op: saved.plan.summary.no_op,
        ..Summary::default()
    };
    for change in &saved.plan.changes {
        use stratiform::planner::Action;
        *match change.action {
            Action::NoOp => &mut summary.no_op,
            Action::Create => &mut summary.create,
            Action::Adopt => &mut summary.adopt,
            Action::Update => &mut summary.update,
            Action::Replace => &mut summary.replace,
            Action::Delete => &mut summary.delete,
            Action::Forget => &mut summary.forget,
        } += change.count;
    }
    saved.plan.summary = summary;
    let others = all - saved.plan.changes.len();
    (saved, others)
}
