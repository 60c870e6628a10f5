//! `strat plan`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use stratiform::model::LocalAddr;
use stratiform::policy::{input, input_offline, judge, judge_offline, permits};
use stratiform::{Mode, OfflinePlan, PlanOptions, Policies, Workspace, over_budget};

use super::carry_out::claims;
use crate::args::{DetailArgs, RecreateArgs, TargetArgs, TopologyArgs, WithoutArgs};
use crate::commands::cache;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::policy::{PolicyArgs, tell_warnings};
use crate::render;
use crate::render::progress::Progress;
use crate::watch::watch;

/// Show what `apply` would do, and why.
///
/// Asks every site what is there, compares it with the topology, and changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat plan
  strat plan shop.hcl --var web_count=12
  strat plan --target machines.web --out plan.json
  strat plan --json | jq .summary
  strat plan --explain machines.web
  strat plan --offline              # what it would cost, without asking any cloud
  strat plan --format markdown > comment.md   # for a pull request
  strat plan --without site.dc1     # dc1 is lost: where would its machines go?
  strat plan --replace machines.web # make it anew, though nothing is wrong with it
  strat plan --env prod             # the same topology, in a realm of its own
  strat plan --policy policies      # held against an organisation's rules, in Rego
  strat plan --detailed-exitcode    # 0: nothing to change, 2: changes, 1: an error")]
pub(crate) struct Plan {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    without: WithoutArgs,

    #[command(flatten)]
    recreate: RecreateArgs,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Plan to delete everything, as `destroy` does.
    #[arg(long)]
    destroy: bool,

    /// Plan with what was out of stock a moment ago, too.
    #[arg(long)]
    ignore_stock_outs: bool,

    /// Ask no site: plan as if nothing were there yet, with what `strat offers refresh` remembered,
    /// else the built-in snapshot. It tells the cost; it cannot be saved or applied.
    #[arg(long, conflicts_with_all = ["destroy", "out", "explain", "detailed_exitcode", "ignore_stock_outs", "sites"])]
    offline: bool,

    /// Write the plan as JSON.
    #[arg(long)]
    json: bool,

    /// Write what policies are shown, as JSON: the plan, with all that is to be and the sites beside it.
    #[arg(long, conflicts_with_all = ["json", "explain"])]
    policy_input: bool,

    /// How the plan is written; `markdown` is for the comment of a pull request.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", conflicts_with_all = ["json", "explain", "offline", "policy_input"])]
    format: Format,

    /// Write the plan to a file, for `strat apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Say why a machine or fleet goes where it goes: what was chosen, what was passed over, and
    /// why. No plan is shown.
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["out", "destroy", "detailed_exitcode", "sites"])]
    explain: Option<LocalAddr>,

    /// Exit with 2 if there are changes.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For the terminal.
    #[default]
    Text,
    /// For a pull request: a part for each site that opens, small enough for one comment.
    Markdown,
    /// As `--json`.
    Json,
}

impl Plan {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let policies = self.policy.read(context)?;
        let workspace = context.load(&self.topology)?;
        if self.offline {
            return self.run_offline(&workspace, policies.as_deref(), context);
        }
        let workspace = context.leave_out(workspace, self.without.sites)?;
        let options = PlanOptions {
            mode: if self.destroy {
                Mode::Destroy
            } else {
                Mode::Apply
            },
            targets: self.targets.targets,
            ignore_stock_outs: self.ignore_stock_outs,
            claims: claims(self.recreate),
            ..PlanOptions::default()
        };
        if let Some(addr) = &self.explain {
            return explain(addr, &options, self.json, workspace, context);
        }
        let (session, planned) = context.block_on(async {
            let (session, mut events) = context.connect(workspace).await?;
            let mut progress = Progress::new(&context.output);
            let planned = watch(&mut events, &mut progress, session.plan(&options)).await;
            progress.clear();
            let mut planned = planned.map_err(|error| context.failure(&error))?;
            if !planned.saved.plan.is_empty() {
                planned.saved.lease_stores = session.missing_lease_stores(|_| true).await;
            }
            if let Some(policies) = &policies {
                let said = judge(&**policies, &planned, session.workspace());
                planned.saved.policy = said.map_err(|error| context.failure(&error))?;
            }
            Ok((session, planned))
        })?;
        context.tell_problems(&planned.observation.problems);
        let saved = &planned.saved;
        if let Some(path) = &self.out {
            saved.write(path).map_err(|error| context.failure(&error))?;
        }
        if self.policy_input {
            let shown = input(&planned, session.workspace());
            context.output.document(&shown)?;
        } else if self.json || self.format == Format::Json {
            context.output.document(saved)?;
        } else if self.format == Format::Markdown {
            let text = render::markdown::plan(&saved.plan, self.detail.detail())
                + &render::markdown::outputs(&saved.outputs)
                + &render::markdown::policy(&saved.policy);
            context.output.data(&text)?;
        } else {
            let (detail, width) = (self.detail.detail(), context.output.width());
            context
                .output
                .data(&render::plan::plan(&saved.plan, detail, width))?;
            context
                .output
                .data(&render::outputs::planned(&saved.outputs, width))?;
            context.output.data(&render::left::part(&saved.targets))?;
        }
        if !saved.lease_stores.is_empty() {
            let stores = render::plan::lease_stores(&saved.lease_stores);
            context.output.note(&stores);
        }
        tell_warnings(context, &saved.policy, &[], session.workspace());
        permits(&saved.policy, session.workspace()).map_err(|error| context.failure(&error))?;
        if let (Some(path), false) = (&self.out, saved.plan.is_empty()) {
            let path = path.display();
            context.output.note(&format!(
                "Written to {path}; apply it with: strat apply {path}\n"
            ));
        }
        over_budget(&saved.plan).map_err(|error| context.failure(&error))?;
        let exit = Exit::detailed(
            self.detailed_exitcode,
            !saved.plan.is_empty() || !saved.plan.refused.is_empty(),
            &planned.observation.problems,
        );
        // The process ends: the system takes its memory back at once, piece by piece takes longer.
        std::mem::forget((session, planned));
        Ok(exit)
    }

    fn run_offline(
        self,
        workspace: &Workspace,
        policies: Option<&dyn Policies>,
        context: &Context,
    ) -> Result<Exit, Failure> {
        let cache = cache::offers()?;
        let targets = &self.targets.targets;
        let mut planned = context.block_on(async {
            let planned = workspace.plan_offline(&cache, targets).await;
            planned.map_err(|error| context.failure(&error))
        })?;
        if let Some(policies) = policies {
            let said = judge_offline(policies, &planned, workspace);
            planned.policy = said.map_err(|error| context.failure(&error))?;
        }
        if self.policy_input {
            context
                .output
                .document(&input_offline(&planned, workspace))?;
        } else if self.json {
            context.output.document(&planned)?;
        } else {
            let (detail, width) = (self.detail.detail(), context.output.width());
            let plan = render::plan::plan(&planned.plan, detail, width);
            context
                .output
                .data(&format!("{}\n{plan}", head(&planned)))?;
        }
        tell_warnings(context, &planned.policy, &[], workspace);
        permits(&planned.policy, workspace).map_err(|error| context.failure(&error))?;
        over_budget(&planned.plan).map_err(|error| context.failure(&error))?;
        Ok(Exit::Done)
    }
}

/// What a plan offline is, and is not, and what it was made from.
fn head(planned: &OfflinePlan) -> String {
    let mut text =
        "Offline: no site was asked, and nothing counts as there. Not to be applied.\n".to_owned();
    text.push_str("Sizes and prices are from:\n");
    for (site, facts) in &planned.facts {
        let (as_of, age) = (cache::as_of(facts), facts.as_of.map(cache::age));
        let (site, source) = (site.as_str(), facts.source);
        let line = cache::line(site, source, as_of.as_deref(), age.as_deref());
        text.push_str(&format!("  {line}"));
    }
    text
}

fn explain(
    addr: &LocalAddr,
    options: &PlanOptions,
    json: bool,
    workspace: Workspace,
    context: &Context,
) -> Result<Exit, Failure> {
    let (explanation, observation) = context.block_on(async {
        let (session, mut events) = context.connect(workspace).await?;
        let mut progress = Progress::new(&context.output);
        let work = session.explain(addr, options);
        let explained = watch(&mut events, &mut progress, work).await;
        progress.clear();
        explained.map_err(|error| context.failure(&error))
    })?;
    context.tell_problems(&observation.problems);
    if json {
        context.output.json(&explanation)?;
    } else {
        let width = context.output.width();
        context
            .output
            .data(&render::explanation::explanation(&explanation, width))?;
    }
    Ok(Exit::Done)
}
