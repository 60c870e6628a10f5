//! `strat functions`

use clap::Args;
use serde_json::json;
use stratiform::topology::functions;

use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::table::table;

/// List the functions of the topology language.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat functions
  strat functions cidr")]
pub(crate) struct Functions {
    /// Only those whose name or description holds this text.
    #[arg(value_name = "TEXT")]
    text: Option<String>,

    /// Write them as JSON.
    #[arg(long)]
    json: bool,
}

impl Functions {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut list = functions();
        if let Some(text) = &self.text {
            list.retain(|function| function.name.contains(text) || function.doc.contains(text));
        }
        if self.json {
            let list: Vec<_> = list
                .iter()
                .map(|function| {
                    json!({
                        "name": function.name,
                        "signature": function.signature,
                        "doc": function.doc,
                        "example": function.example,
                    })
                })
                .collect();
            context.output.json(&json!({ "functions": list }))?;
            return Ok(Exit::Done);
        }
        let rows = list.iter().map(|function| {
            vec![
                function.signature.to_owned(),
                function.doc.to_owned(),
                function.example.to_owned(),
            ]
        });
        let width = context
            .output
            .stdout_is_terminal()
            .then(|| context.output.width());
        context
            .output
            .data(&table(&["function", "gives", "example"], rows, width))?;
        Ok(Exit::Done)
    }
}
