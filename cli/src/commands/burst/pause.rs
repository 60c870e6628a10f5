//! `strat burst pause` and `strat burst resume`

use clap::Args;
use strat_burst::pause::Pause as State;
use stratiform::engine::Holder;
use stratiform::provider::{Clock as _, TokioClock};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Let controllers in this folder do nothing, from their next decision on: no machine is made, drained or
/// let go. They measure and decide as ever, and record what they would do. A run that has begun ends first.
/// It holds until `strat burst resume`, whoever is started meanwhile.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst pause --why 'the network is being rebuilt'
  strat burst pause shop.hcl
  strat burst resume")]
pub(crate) struct Pause {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Why, for whoever finds it paused.
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
}

impl Pause {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let state = context.state(&self.topology.path);
        if let Ok(Some(before)) = State::read(state.path()) {
            let said = format!(
                "It is paused already, since {:.0} by {}.\n",
                before.since, before.by
            );
            context.output.note(&said);
            return Ok(Exit::Done);
        }
        let since = TokioClock::system().now();
        let by = Holder::this_process("burst pause", since).who();
        let pause = State {
            since,
            by,
            why: self.why,
        };
        let begun = pause.begin(state.path());
        begun.map_err(|error| Failure::new("the pause cannot be written").caused_by(&error))?;
        let said =
            "Paused: nothing is done from the next decision on. `strat burst resume` ends it.\n";
        context.output.note(said);
        Ok(Exit::Done)
    }
}

/// End a pause: controllers in this folder carry out their decisions again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst resume
  strat burst resume shop.hcl")]
pub(crate) struct Resume {
    #[command(flatten)]
    topology: TopologyArgs,
}

impl Resume {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let state = context.state(&self.topology.path);
        let ended = State::end(state.path());
        let ended =
            ended.map_err(|error| Failure::new("the pause cannot be ended").caused_by(&error))?;
        let said = match ended {
            true => "Decisions are carried out again.\n",
            false => "It was not paused.\n",
        };
        context.output.note(said);
        Ok(Exit::Done)
    }
}
