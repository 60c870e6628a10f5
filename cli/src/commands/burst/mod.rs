//! `strat burst`

mod explain;
mod fail_if;
mod guards;
mod pause;
mod rehearse;
mod run;
#[cfg(feature = "burst")]
mod running;
mod serve;
mod simulate;
mod status;
mod values;

use clap::{Args, Subcommand};

use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Let the count of a fleet follow its load: by a controller, and before that on a trace, to see how a
/// `burst` block of the topology would do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst run --once --prometheus http://127.0.0.1:9090
  strat burst status
  strat burst explain 3f2a9c01
  strat burst simulate --trace demand.csv --boot 90s --boot-p95 3m
  strat burst simulate --shape office --weeks 5 --history 28d --chart office.svg
  strat burst rehearse --from prometheus --weeks 5 --history 28d")]
pub(crate) struct Burst {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(Box<run::Run>),
    Status(status::Status),
    Explain(explain::Explain),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Serve(Box<serve::Serve>),
    Simulate(Box<simulate::Simulate>),
    Rehearse(Box<rehearse::Rehearse>),
}

impl Burst {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.verb {
            #[cfg(feature = "burst")]
            Verb::Run(command) => running::run(&command, context),
            Verb::Status(command) => command.run(context),
            Verb::Explain(command) => command.run(context),
            Verb::Pause(command) => command.run(context),
            Verb::Resume(command) => command.run(context),
            #[cfg(feature = "burst")]
            Verb::Serve(command) => running::serve(&command, context),
            #[cfg(not(feature = "burst"))]
            Verb::Run(_) | Verb::Serve(_) | Verb::Rehearse(_) => Err(not_built()),
            Verb::Simulate(command) => command.run(context),
            #[cfg(feature = "burst")]
            Verb::Rehearse(command) => running::rehearse(&command, context),
        }
    }
}

/// What a program says that was built without the controller.
#[cfg(not(feature = "burst"))]
fn not_built() -> Failure {
    Failure::new("this program was built without the controller of bursts")
        .help("build it with `cargo build --release -p strat --features burst`")
}
