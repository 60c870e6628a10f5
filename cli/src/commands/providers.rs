//! `strat providers`

use clap::Args;
use serde_json::json;

use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::providers::docs;
use crate::render::table::table;

/// List the providers that this program has, and what they can do.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat providers
  strat providers --json | jq '.providers[].capabilities'")]
pub(crate) struct Providers {
    /// Write them as JSON, with their capabilities.
    #[arg(long)]
    json: bool,
}

impl Providers {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let docs = docs();
        if self.json {
            let list: Vec<_> = docs
                .into_iter()
                .map(|doc| json!({ "name": doc.name, "capabilities": doc.capabilities }))
                .collect();
            context.output.json(&json!({ "providers": list }))?;
            return Ok(Exit::Done);
        }
        let rows = docs
            .into_iter()
            .map(|doc| vec![doc.name.to_owned(), doc.doc.to_owned()]);
        let width = context
            .output
            .stdout_is_terminal()
            .then(|| context.output.width());
        context
            .output
            .data(&table(&["provider", "what it is"], rows, width))?;
        Ok(Exit::Done)
    }
}
