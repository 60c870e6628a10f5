//! `strat output`

use clap::Args;
use stratiform::topology::Json;

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::outputs;

/// Show the topology's outputs, with the values they have now.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat output
  strat output --name db_primary       # the bare value, for scripts
  strat output --json")]
pub(crate) struct Output {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Write only this output's value, sensitive or not.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Write the outputs as JSON.
    #[arg(long)]
    json: bool,

    /// Show sensitive values too.
    #[arg(long)]
    show_sensitive: bool,
}

impl Output {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let path = &self.topology.path;
        if self.name.is_none() && !path.exists() {
            let name = path.display();
            return Err(
                Failure::new(format!("there is no file or folder `{name}`")).help(format!(
                    "one output by its name: `strat output --name {name}`"
                )),
            );
        }
        let workspace = context.load_sites(&self.topology)?;
        let mut values = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            let seen = session.observe().await;
            let seen = seen.map_err(|error| context.failure(&error))?;
            context.tell_problems(&seen.problems);
            Ok(session.workspace().evaluated().outputs(&seen.inventory))
        })?;
        if let Some(name) = &self.name {
            let Some(output) = values.get(name) else {
                let names: Vec<&str> = values.keys().map(String::as_str).collect();
                return Err(Failure::new(format!("there is no output `{name}`"))
                    .help(format!("there are: {}", names.join(", "))));
            };
            let Some(value) = &output.value else {
                return Err(
                    Failure::new(format!("the output `{name}` has no value yet"))
                        .help("it is known after `strat apply`"),
                );
            };
            return match (self.json, value) {
                (false, Json::String(text)) => context.output.data(&format!("{text}\n")),
                _ => context.output.document(value),
            }
            .map(|()| Exit::Done);
        }
        if self.show_sensitive {
            values
                .values_mut()
                .for_each(|output| output.sensitive = false);
        }
        if self.json {
            context.output.document(&outputs::to_json(&values))?;
        } else {
            context
                .output
                .data(&outputs::outputs(&values, context.output.width()))?;
        }
        Ok(Exit::Done)
    }
}
