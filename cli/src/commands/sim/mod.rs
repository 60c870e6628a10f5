//! `strat sim`

mod disturb;
mod find;
mod status;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use strat_sim::{SimControl, SimFactory};
use stratiform::StateDir;
use stratiform::provider::TokioClock;

use self::disturb::{On, OnSite};
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Look into the simulated world and disturb it, behind Stratiform's back.
///
/// The simulator's world is the folder `.sim` beside the topology. What these commands do to it,
/// people, bad luck and clouds do to real ones.
///
/// WHICH is an address (`machine.db["primary"]@dc1`; of a fleet, its first machine unless --all is
/// given), an id, or a name. SITE is a site's name, a region, or `aws/main/us-east-1`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat sim status
  strat sim list --kind machine
  strat sim delete-machine machines.web@dc1     # then: strat drift
  strat sim add-rule firewall.web@dc1 debug --port 8080
  strat sim stock east --left 0                 # every machine type is out of stock
  strat sim fault west --kind quota --operation create_machines
  strat sim lose-zone dc1 rack1")]
pub(crate) struct Sim {
    /// The topology that the world is beside: a file, or a folder of files.
    #[arg(long, global = true, value_name = "PATH", default_value = ".")]
    path: PathBuf,

    /// The world's folder, if a site says another than `.sim`.
    #[arg(long, global = true, value_name = "FOLDER")]
    world: Option<PathBuf>,

    /// What to do.
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Status(status::Status),
    List(status::List),
    #[command(flatten)]
    On(On),
    #[command(flatten)]
    OnSite(OnSite),
    /// Forget every thing and every trouble of every region.
    Reset,
}

impl Sim {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let world = self.world.unwrap_or_else(|| {
            let state = StateDir::of(&self.path);
            let beside = state.path().parent().unwrap_or(&self.path);
            SimFactory::default_world(beside)
        });
        context.block_on(async {
            let clock = Arc::new(TokioClock::system());
            let control = SimControl::open(&world, clock).map_err(|error| {
                Failure::of(&error)
                    .help("`strat apply` makes the world; name the topology with --path")
            })?;
            match self.command {
                Verb::Status(status) => status.run(&control, context),
                Verb::List(list) => list.run(&control, context),
                Verb::On(on) => on.run(&control, context),
                Verb::OnSite(on) => on.run(&control, context),
                Verb::Reset => {
                    control.reset().map_err(|error| find::failed(&error))?;
                    context.output.note("The world is empty.\n");
                    Ok(Exit::Done)
                }
            }
        })
    }
}
