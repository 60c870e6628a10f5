//! `strat validate`

use clap::Args;
use stratiform::answer::{Finding, Validated};
use stratiform::model::Diagnostic;
use stratiform::topology::Sources;
use stratiform::{Error, Workspace};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::providers;
use crate::render::diagnostics::told;
use crate::render::style::{CREATE, paint};
use crate::render::wrap::count;

/// Check a topology without touching any cloud.
///
/// Everything that is wrong is told in one run: syntax, unknown attributes and references, values
/// that cannot be, sites' settings, address space. At sites that need no network for it, whether
/// everything has a place too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat validate
  strat validate shop.hcl --var env=prod
  strat validate --json | jq '.diagnostics[].message'")]
pub(crate) struct Validate {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Write the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.json {
            return self.as_json(context);
        }
        let workspace = self.check(context)?;
        let workspace = workspace.map_err(|error| context.failure(&error))?;
        context.warn(&workspace);
        context.output.data(&valid(&workspace))?;
        Ok(Exit::Done)
    }

    /// The topology, or everything that is wrong with it.
    fn check(&self, context: &Context) -> Result<Result<Workspace, Error>, Failure> {
        let path = &self.topology.path;
        let inputs = context.inputs(path, &self.topology.vars)?;
        context
            .block_on(async { Ok(Workspace::validate(path, inputs, providers::registry()).await) })
    }

    fn as_json(&self, context: &Context) -> Result<Exit, Failure> {
        let checked = self.check(context)?;
        let (is_valid, findings) = match &checked {
            Ok(workspace) => (true, list(workspace.warnings(), workspace.sources())),
            Err(error) => {
                let findings = error.findings();
                let findings = findings.map(|(findings, sources)| list(&findings, sources));
                (false, findings.unwrap_or_default())
            }
        };
        if let Err(error) = checked
            && findings.is_empty()
        {
            return Err(context.failure(&error));
        }
        context.output.json(&Validated {
            valid: is_valid,
            diagnostics: findings,
        })?;
        Ok(if is_valid { Exit::Done } else { Exit::Failed })
    }
}

fn list(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Finding> {
    diagnostics
        .iter()
        .map(|diagnostic| told(diagnostic, sources))
        .collect()
}

fn valid(workspace: &Workspace) -> String {
    let intent = workspace.intent();
    let blocks = intent.commons().count();
    format!(
        "{} The topology `{}` is valid: {} over {}.\n",
        paint(CREATE, "ok"),
        workspace.owner().named(),
        count(blocks, "resource"),
        count(intent.sites.len(), "site"),
    )
}
