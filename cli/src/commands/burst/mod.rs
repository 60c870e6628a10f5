//! `strat burst`

mod fail_if;
mod simulate;
mod values;

use clap::{Args, Subcommand};

use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Let the count of a fleet follow its load: see how a `burst` block of the topology would do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst simulate --trace demand.csv --boot 90s --boot-p95 3m
  strat burst simulate --shape office --weeks 5 --history 28d --chart office.svg")]
pub(crate) struct Burst {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Simulate(Box<simulate::Simulate>),
}

impl Burst {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Simulate(command) => command.run(context),
        }
    }
}
