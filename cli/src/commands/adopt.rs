//! `strat adopt`

use clap::Args;
use stratiform::model::{Addr, ResourceId};
use stratiform::{Claims, Mode, PlanOptions};

use super::carry_out::CarryOut;
use crate::args::{ApplyArgs, PathArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Say that a thing is the topology's: give it its mark back, or take over what others made.
///
/// Shows what that changes, asks, and does it. Nothing else is done, and nothing is made anew: where
/// the thing differs from its block in what cannot be changed in place, make the block like it first.
///
/// Without ADDR, everything is adopted that is known to be the topology's and lost its mark.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat adopt                                   # all that lost its mark
  strat adopt volume.data@east
  strat adopt volume.data@east vol-0a1b2c3d     # this one, not its copy
  strat adopt bucket.assets@east my-old-bucket --path shop.hcl")]
pub(crate) struct Adopt {
    /// Which thing of the topology it is, with its site.
    #[arg(value_name = "ADDR")]
    addr: Option<Addr>,

    /// Its id in its cloud, where more than one thing may be it or nothing is known of it.
    #[arg(value_name = "ID", requires = "addr")]
    id: Option<String>,

    #[command(flatten)]
    topology: PathArgs,

    #[command(flatten)]
    apply: ApplyArgs,

    /// Write what became of it as JSON.
    #[arg(long)]
    json: bool,
}

impl Adopt {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology.into())?;
        let carry_out = CarryOut {
            context,
            args: &self.apply,
            json: self.json,
            command: "adopt",
            question: "Adopt all of this?",
        };
        let id = self.id.map(ResourceId::from);
        let options = PlanOptions {
            mode: Mode::Apply,
            claims: Claims {
                adopt_known: self.addr.is_none(),
                adopt: self.addr.map(|addr| (addr, id)).into_iter().collect(),
                only_adopt: true,
                ..Claims::default()
            },
            ..PlanOptions::default()
        };
        carry_out.planning(workspace, &options)
    }
}
