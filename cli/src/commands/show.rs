//! `strat show`

use clap::Args;
use stratiform::engine::Observation;

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::inventory;

/// Show what there is: every real thing that carries the topology's mark.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat show
  strat show --json | jq -r '.resources[] | select(.kind == \"machine\") | .private_ip'")]
pub(crate) struct Show {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Write the inventory as JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let observation = observe(context, &self.topology)?;
        if self.json {
            context
                .output
                .json(&inventory::shown(&observation.inventory))?;
        } else {
            let width = context
                .output
                .stdout_is_terminal()
                .then(|| context.output.width());
            context
                .output
                .data(&inventory::inventory(&observation.inventory, width))?;
        }
        Ok(if observation.problems.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

/// Looks at everything; what could not be seen is told.
fn observe(context: &Context, args: &TopologyArgs) -> Result<Observation, Failure> {
    let workspace = context.load_sites(args)?;
    let observation = context.block_on(async {
        let (session, _events) = context.connect(workspace).await?;
        let seen = session.observe().await;
        seen.map_err(|error| context.failure(&error))
    })?;
    context.tell_problems(&observation.problems);
    Ok(observation)
}
