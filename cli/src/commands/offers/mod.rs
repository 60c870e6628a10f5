//! `strat offers`

mod filter;
mod find;
mod refresh;
mod show;

use clap::{Args, Subcommand};
use stratiform::model::Name;
use stratiform::topology::{LoadError, Sources};
use stratiform::{Error, Workspace};

use self::filter::Filter;
use self::find::Found;
use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Search what is on sale: sizes, zones, prices.
///
/// Of a topology's sites, asked now; or with --offline what `refresh` remembered of them, else the
/// built-in snapshot. Without a topology here, the snapshot of every cloud. The cheapest come first; a
/// price that is not known comes last, and is never taken for low. Google's custom machine types are in no
/// list: with --cpu or --memory, the one of each series that fits comes with the others.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  strat offers --cpu 4 --memory 16GiB --limit 10
  strat offers --gpu T4 --spot --max-price '0.50 USD'
  strat offers --site east --json | jq '.offers[] | {machine_type, price_hour}'
  strat offers refresh                     # ask every site, and remember
  strat offers --offline --sort price-per-cpu
  strat offers --cloud aws --region eu-central-1 --arch aarch64   # without a topology")]
pub(crate) struct Offers {
    #[command(subcommand)]
    verb: Option<Verb>,

    #[command(flatten)]
    search: Search,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Refresh(refresh::Refresh),
}

#[derive(Debug, Args)]
struct Search {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Only this site's.
    #[arg(long, value_name = "SITE")]
    site: Option<Name>,

    #[command(flatten)]
    filter: Filter,

    /// Ask no site: use what `strat offers refresh` remembered, else the built-in snapshot.
    #[arg(long)]
    offline: bool,

    /// Write them as JSON.
    #[arg(long)]
    json: bool,
}

impl Offers {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.verb {
            Some(Verb::Refresh(refresh)) => refresh.run(context),
            None => self.search.run(context),
        }
    }
}

impl Search {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut found = if self.has_topology() {
            let workspace = context.load(&self.topology)?;
            self.check_site(&workspace)?;
            let site = self.site.as_ref();
            context.block_on(async {
                match self.offline {
                    true => find::offline(&workspace, site, context).await,
                    false => find::live(workspace, site, context).await,
                }
            })?
        } else {
            self.without_topology()?
        };
        if let Some((cpu, memory)) = self.filter.size() {
            found.measure(cpu, memory);
        }
        self.filter.apply(&mut found.rows);
        show::sources(&found, context);
        show::measures(&found, self.filter.size().is_some(), context);
        if self.json {
            context.output.json(&show::offered(&found))?;
        } else {
            context.output.data(&show::table(&found))?;
            if found.rows.is_empty() {
                context
                    .output
                    .note("Nothing on sale matches; ask for less, or elsewhere.\n");
            }
        }
        Ok(if found.is_whole {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    /// Whether there is a topology to ask about, or a mistake in naming one.
    fn has_topology(&self) -> bool {
        let is_default = self.topology.path.as_os_str() == ".";
        let loaded = Sources::load(&self.topology.path);
        !(is_default && matches!(loaded, Err(LoadError::NoFiles { .. })))
    }

    fn without_topology(&self) -> Result<Found, Failure> {
        if let Some(site) = &self.site {
            let here = Error::Load(LoadError::NoFiles {
                path: self.topology.path.clone(),
            });
            return Err(Failure::of_library(&here).help(format!(
                "name the topology that has the site `{site}`, or search the snapshot with --cloud \
                 and --region"
            )));
        }
        if self.filter.is_everything() {
            let here =
                Failure::new("there is no topology here, and every cloud's offers are 61,000");
            return Err(here.help(
                "say what you look for: `strat offers --cpu 4 --memory 16GiB`, --cloud, --region, \
                 --gpu, or --limit 20; or name a topology: `strat offers PATH`",
            ));
        }
        find::snapshot(self.filter.cloud.as_deref(), self.filter.region.as_deref())
    }

    fn check_site(&self, workspace: &Workspace) -> Result<(), Failure> {
        let sites = &workspace.intent().sites;
        match &self.site {
            Some(site) if !sites.contains_key(site) => {
                let names: Vec<_> = sites.keys().map(Name::as_str).collect();
                let failure = Failure::new(format!("the topology has no site `{site}`"));
                Err(failure.help(format!("there are: {}", names.join(", "))))
            }
            _ => Ok(()),
        }
    }
}
