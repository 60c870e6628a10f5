//! `strat apply`

use std::path::Path;

use clap::Args;
use stratiform::{Inputs, Mode, PlanOptions, SavedPlan, Workspace};

use super::carry_out::{CarryOut, claims, plan_options};
use crate::args::{ApplyArgs, RecreateArgs, TargetArgs, TopologyArgs, WithoutArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Make the world what the topology says.
///
/// Plans, shows the plan, asks, and carries it out. What fails stops what depends on it and
/// nothing else; a second apply finishes the work. Ctrl-C stops after the calls in flight, a
/// second Ctrl-C at once.
///
/// PATH may be a plan that `strat plan --out` wrote: it is carried out as it is, without a
/// question, if neither the world nor the topology has moved since.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat apply
  strat apply shop.hcl --yes --parallelism 32
  strat apply --target machines.web@dc1
  strat apply --without site.dc1    # dc1 is lost: place what ran there elsewhere
  strat plan --out plan.json && strat apply plan.json

Variables can be given by the environment too: STRAT_VAR_name=value. A saved plan holds no
sensitive ones; give those again.")]
pub(crate) struct Apply {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    without: WithoutArgs,

    #[command(flatten)]
    recreate: RecreateArgs,

    #[command(flatten)]
    apply: ApplyArgs,

    /// Ask again for what was out of stock a moment ago, instead of passing it over.
    #[arg(long)]
    ignore_stock_outs: bool,

    /// Write what became of it as JSON.
    #[arg(long)]
    json: bool,
}

impl Apply {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let carry_out = CarryOut {
            context,
            args: &self.apply,
            json: self.json,
            command: "apply",
            question: "Apply these changes?",
        };
        if is_saved_plan(&self.topology.path) {
            if !self.targets.targets.is_empty() {
                return Err(Failure::new("a saved plan has its targets already")
                    .help("leave --target out, or make another plan with it"));
            }
            if !self.without.sites.is_empty() {
                return Err(Failure::new("a saved plan says already what it is without")
                    .help("leave --without out, or make another plan with it"));
            }
            let saved =
                SavedPlan::read(&self.topology.path).map_err(|error| context.failure(&error))?;
            let workspace = self.workspace_of(&saved, context)?;
            let workspace = context.leave_out(workspace, saved.without.clone())?;
            return carry_out.saved(workspace, &saved);
        }
        let workspace = context.load(&self.topology)?;
        let workspace = context.leave_out(workspace, self.without.sites.clone())?;
        let options = PlanOptions {
            ignore_stock_outs: self.ignore_stock_outs,
            claims: claims(self.recreate.clone()),
            ..plan_options(Mode::Apply, self.targets.targets.clone())
        };
        carry_out.planning(workspace, &options)
    }

    /// The topology that a plan was made from, read again.
    fn workspace_of(&self, saved: &SavedPlan, context: &Context) -> Result<Workspace, Failure> {
        let Some(source) = &saved.plan.source else {
            return Err(Failure::new("the plan does not say what it was made from")
                .help("make the plan again: `strat plan --out plan.json`"));
        };
        let mut args = self.topology.vars.clone();
        let given = source.var_files.iter().cloned();
        args.var_files = given.chain(args.var_files).collect();
        if context.env.is_some() && context.env != source.env {
            return Err(Failure::new("the plan was made for another environment")
                .help("leave --env out: a saved plan says for which it is"));
        }
        let inputs = context.inputs_for(source.env.as_ref(), &source.path, &args)?;
        // What is given again wins; if it is another value, the plan is found out of date.
        let mut vars = source.vars.clone();
        vars.extend(inputs.vars);
        let inputs = Inputs { vars, ..inputs };
        context.load_with(&source.path, inputs)
    }
}

/// Whether a path is a saved plan: JSON with a `format_version`, which no topology has.
fn is_saved_plan(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    let looks_like_one = || {
        let text = std::fs::read(path).ok()?;
        let json: serde_json::Value = serde_json::from_slice(&text).ok()?;
        json.get("format_version").map(|_| ())
    };
    (is_json || path.extension().is_none()) && path.is_file() && looks_like_one().is_some()
}
