//! `strat burst status`

use clap::Args;
use strat_burst::status::Status as State;
use stratiform::provider::{Clock as _, TokioClock};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;

/// Say how bursts do: how many machines are wanted, work, boot and drain, what holds them back, and what
/// they cost. It is what a controller in this folder said last; no cloud is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst status
  strat burst status shop.hcl --json | jq '.bursts[].want'")]
pub(crate) struct Status {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Write it as JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let state = context.state(&self.topology.path);
        let status = State::read(state.path()).map_err(|error| {
            Failure::new("what the controller says of itself cannot be read").caused_by(&error)
        })?;
        let Some(status) = status else {
            return Err(Failure::new("no controller has run in this folder")
                .help("start one: `strat burst run`"));
        };
        if self.json {
            context.output.document(&status)?;
            return Ok(Exit::Done);
        }
        let now = TokioClock::system().now();
        let text = render::burst::status(&status, now, context.output.width());
        context.output.data(&text)?;
        Ok(Exit::Done)
    }
}
