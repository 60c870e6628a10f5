//! `strat lsp`

use std::io::BufReader;
use std::time::Duration;

use clap::Args;
use strat_lsp::{Ended, Settings, serve};

use crate::args::VarArgs;
use crate::context::{Context, Exit};
use crate::environment;
use crate::failure::Failure;
use crate::providers;

/// How long typing pauses before what is wrong is looked for.
const PAUSE: Duration = Duration::from_millis(150);

/// Serve an editor: findings as one types, completion, documentation, definitions, renames.
///
/// Speaks the Language Server Protocol over stdin and stdout, until the editor ends the session. What is
/// open and not saved counts; nothing is written to disk, and no cloud is asked. An editor starts this by
/// itself: docs/editors.md says how to set up VS Code, Neovim and Helix.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat lsp
  strat lsp --env prod       # with the values of prod.vars.hcl
  strat lsp --var size=large --var-file team.vars.hcl")]
pub(crate) struct Lsp {
    #[command(flatten)]
    vars: VarArgs,

    /// For editors that name the way to speak; there is no other.
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { vars, stdio: _ } = self;
        let settings = Settings {
            registry: providers::registry(),
            env: context.env.clone(),
            vars: vars.vars.into_iter().collect(),
            environment: environment::vars(),
            var_files: vars.var_files,
            images: providers::images(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pause: PAUSE,
        };
        let input = BufReader::new(std::io::stdin());
        let ended = serve(input, std::io::stdout(), settings).map_err(|error| {
            Failure::new("the session with the editor failed").caused_by(&error)
        })?;
        Ok(match ended {
            Ended::AsAsked => Exit::Done,
            Ended::Abruptly => Exit::Failed,
        })
    }
}
