//! `strat release`

use clap::Args;
use stratiform::model::Addr;
use stratiform::{Claims, Mode, PlanOptions};

use super::carry_out::CarryOut;
use crate::args::{ApplyArgs, PathArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Let a thing go: its mark is taken off, and it stays as it is.
///
/// Shows what that changes, asks, and does it; nothing else is done. It undoes an adoption, and it is
/// the way to leave a thing to others. Take its block out of the topology as well, or the next apply
/// wants one there again. What is protected is not let go.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat release volume.data@east
  strat release bucket.assets@east --path shop.hcl --yes")]
pub(crate) struct Release {
    /// Which things of the topology, with their sites.
    #[arg(value_name = "ADDR", required = true)]
    addrs: Vec<Addr>,

    #[command(flatten)]
    topology: PathArgs,

    #[command(flatten)]
    apply: ApplyArgs,

    /// Write what became of it as JSON.
    #[arg(long)]
    json: bool,
}

impl Release {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology.into())?;
        let carry_out = CarryOut {
            context,
            args: &self.apply,
            json: self.json,
            command: "release",
            question: "Let all of this go?",
        };
        let options = PlanOptions {
            mode: Mode::Apply,
            claims: Claims {
                release: self.addrs,
                ..Claims::default()
            },
            ..PlanOptions::default()
        };
        carry_out.planning(workspace, &options)
    }
}
