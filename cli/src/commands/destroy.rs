//! `strat destroy`

use clap::Args;
use stratiform::Mode;

use super::carry_out::{CarryOut, plan_options};
use crate::args::{ApplyArgs, TargetArgs, TopologyArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Delete everything that is the topology's.
///
/// Only what carries this topology's mark is deleted. If any of it is protected, nothing is
/// deleted at all: set `protect = false` on the block, apply that, then destroy. Where data goes
/// with it, the topology's name is asked for, or given by --allow-data-loss.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat destroy
  strat destroy shop.hcl --yes --allow-data-loss shop
  strat plan --destroy              # what would go")]
pub(crate) struct Destroy {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    targets: TargetArgs,

    #[command(flatten)]
    apply: ApplyArgs,

    /// Write what became of it as JSON.
    #[arg(long)]
    json: bool,
}

impl Destroy {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load_sites(&self.topology)?;
        let carry_out = CarryOut {
            context,
            args: &self.apply,
            json: self.json,
            command: "destroy",
            question: "Delete all of this for good?",
        };
        let options = plan_options(Mode::Destroy, self.targets.targets);
        carry_out.planning(workspace, &options)
    }
}
