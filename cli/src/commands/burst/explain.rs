//! `strat burst explain`

use clap::Args;
use serde_json::json;
use strat_burst::log::{Decided, Done, Log, bursts};
use stratiform::StateDir;

use crate::args::{PathArgs, TopologyArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;

/// Say why a burst decided what it did: what was measured and seen, what asked for how many machines,
/// what held that back, and what was done. The decision is made again from its recorded inputs; if it is
/// not the same to the byte, this ends with 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst explain 3f2a9c01
  strat burst explain 3f2a9c01 --path shop.hcl --json | jq '.record.inputs'")]
pub(crate) struct Explain {
    /// The decision: its id, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    topology: PathArgs,

    /// Write the whole record as JSON.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let topology: TopologyArgs = self.topology.clone().into();
        let (decided, done) = self.find(&context.state(&topology.path))?;
        let replay = decided.record.replay();
        let why = replay.as_ref().err().map(ToString::to_string);
        if self.json {
            context.output.json(&json!({
                "record": decided.record,
                "learnt": decided.learnt,
                "done": done,
                "replay": { "identical": replay.is_ok(), "why": why },
            }))?;
        } else {
            let width = context.output.width();
            let text = render::burst::explain(&decided.record, done.as_ref(), width);
            context.output.data(&text)?;
        }
        match why {
            None => Ok(Exit::Done),
            Some(why) => {
                let said = format!("Made again from its inputs, it is not the same: {why}.\n");
                context.output.note(&said);
                Ok(Exit::Differs)
            }
        }
    }

    fn find(&self, state: &StateDir) -> Result<(Decided, Option<Done>), Failure> {
        let unreadable =
            |error: std::io::Error| Failure::new("the decisions cannot be read").caused_by(&error);
        let mut found = Vec::new();
        for burst in bursts(state.path()).map_err(unreadable)? {
            let log = Log::of(state.path(), &burst);
            found.extend(log.find(&self.id).map_err(unreadable)?);
        }
        match found.len() {
            0 => Err(Failure::new(format!("there is no decision `{}`", self.id))
                .help("`strat burst status` names the last one of each burst")),
            1 => Ok(found.remove(0)),
            many => Err(
                Failure::new(format!("{many} decisions begin with `{}`", self.id))
                    .help("write more of the id"),
            ),
        }
    }
}
