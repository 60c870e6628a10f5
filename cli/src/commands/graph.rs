//! `strat graph`

use clap::{Args, ValueEnum};
use stratiform::PlanOptions;

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::graph::{Graph as Drawn, dot, mermaid, page};

/// Draw the topology: what is where, what needs what, who may talk to whom, and what a plan changes of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat graph | dot -Tsvg > topology.svg
  strat graph --format html > map.html      # a page of its own, by site and zone
  strat graph --format mermaid > topology.mmd
  strat graph --json | jq '.admits[] | {from, to, ports}'")]
pub(crate) struct Graph {
    #[command(flatten)]
    topology: TopologyArgs,

    /// How it is drawn.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        conflicts_with = "json"
    )]
    format: Format,

    /// Write nodes and arrows as JSON.
    #[arg(long)]
    json: bool,
}

/// How a graph is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For Graphviz, with a box for each site.
    #[default]
    Dot,
    /// For Mermaid, which Git forges draw in pages and comments.
    Mermaid,
    /// A page of its own, which loads nothing: networks, subnets, zones and machines of each site.
    Html,
    /// As `--json`.
    Json,
}

impl Graph {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let sites = workspace.intent().sites.clone();
        let planned = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            let planned = session.plan(&PlanOptions::default()).await;
            planned.map_err(|error| context.failure(&error))
        })?;
        context.tell_problems(&planned.observation.problems);
        let graph = Drawn::of(
            &sites,
            &planned.observation.facts,
            &planned.desired,
            &planned.saved.plan,
        );
        let output = &context.output;
        match self.format {
            _ if self.json => output.json(&graph)?,
            Format::Json => output.json(&graph)?,
            Format::Dot => output.data(&dot::dot(&graph, &planned.desired))?,
            Format::Mermaid => output.data(&mermaid::mermaid(&graph))?,
            Format::Html => output.data(&page(&graph))?,
        }
        Ok(Exit::Done)
    }
}
