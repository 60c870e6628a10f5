//! `strat sim`

mod disturb;
mod find;
mod make;
mod site;
mod status;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use strat_sim::{SimControl, SimFactory};
use stratiform::provider::TokioClock;
use stratiform::topology::{Sources, Topology};
use stratiform::{Inputs, StateDir};

use self::disturb::On;
use self::site::OnSite;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Look into the simulated world and disturb it, behind Stratiform's back.
///
/// The simulator's world is the folder `.sim` beside the topology, or the `world` that its sites name.
/// What these commands do to it, people, bad luck and clouds do to real ones.
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
  strat sim fault west --silent --operation list --times 100
  strat sim lag east --create 60000 --lists 5000
  strat sim limits east --user-data 1KiB --firewalls 1
  strat sim lose-zone dc1 rack1
  strat sim host-off dc1 rack2                  # for maintenance; back by host-on")]
pub(crate) struct Sim {
    /// The topology that the world is beside: a file, or a folder of files.
    #[arg(long, global = true, value_name = "PATH", default_value = ".")]
    path: PathBuf,

    /// The world's folder, if the topology's sites have several.
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
    Make(make::Make),
    #[command(flatten)]
    On(On),
    #[command(flatten)]
    OnSite(OnSite),
    /// Forget every thing and every trouble of every region.
    Reset,
}

/// One thing that is done to a world, in the words that follow `strat sim`.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub(crate) struct Line {
    #[command(subcommand)]
    verb: Verb,
}

impl Line {
    /// Reads such words, as a shell would take them apart.
    ///
    /// # Errors
    /// If they make no sense, or only look at the world.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let help = "write what follows `strat sim`, such as `delete-machine machines.web@dc1`";
        let words = shlex::split(text);
        let words = words.ok_or_else(|| Failure::new("a quote in it does not end").help(help))?;
        let line = Self::try_parse_from(words).map_err(|error| {
            let told = error.to_string();
            let first = told.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            Failure::new(first).help(help)
        })?;
        match line.verb {
            Verb::Status(_) | Verb::List(_) => {
                Err(Failure::new("that changes nothing of the world").help(help))
            }
            Verb::Make(_) | Verb::On(_) | Verb::OnSite(_) | Verb::Reset => Ok(line),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// If the world has nothing that it means.
    pub(crate) fn run(self, control: &SimControl, context: &Context) -> Result<(), Failure> {
        self.verb.run(control, context).map(|_| ())
    }
}

impl Verb {
    fn run(self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Status(status) => status.run(control, context),
            Self::List(list) => list.run(control, context),
            Self::Make(make) => make.run(control, context),
            Self::On(on) => on.run(control, context),
            Self::OnSite(on) => on.run(control, context),
            Self::Reset => {
                control.reset().map_err(|error| find::failed(&error))?;
                context.output.note("The world is empty.\n");
                Ok(Exit::Done)
            }
        }
    }
}

impl Sim {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let world = match self.world {
            Some(world) => world,
            None => world_of(&self.path)?,
        };
        context.block_on(async {
            let clock = Arc::new(TokioClock::system());
            let control = SimControl::open(&world, clock).map_err(|error| {
                Failure::of(&error)
                    .help("`strat apply` makes the world; name the topology with --path")
            })?;
            self.command.run(&control, context)
        })
    }
}

/// The folder of the world that the topology's simulated sites are in, as far as the topology can be
/// read.
fn world_of(path: &Path) -> Result<PathBuf, Failure> {
    let state = StateDir::of(path);
    let beside = state.path().parent().unwrap_or(path);
    let sources = Sources::load(path).ok();
    let topology = sources.and_then(|sources| Topology::parse(&sources).ok());
    let sites = topology.map(|topology| topology.check(&Inputs::default()).0.intent.sites);
    let sites = sites.iter().flat_map(|sites| sites.values());
    let simulated = sites.filter(|site| site.provider == "sim");
    let worlds: BTreeSet<PathBuf> = simulated
        .filter_map(|site| SimFactory::world_of(site, beside).ok())
        .collect();
    match worlds.len() {
        0 => Ok(SimFactory::default_world(beside)),
        1 => Ok(worlds.into_iter().next().unwrap_or_default()),
        _ => {
            let worlds: Vec<_> = worlds
                .iter()
                .map(|world| world.display().to_string())
                .collect();
            let what = format!("the sites are in {} worlds", worlds.len());
            Err(Failure::new(what).help(format!("name one with --world: {}", worlds.join(", "))))
        }
    }
}
