//! `strat completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Write a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat completions bash > /etc/bash_completion.d/strat
  strat completions zsh > \"${fpath[1]}/_strat\"
  strat completions fish > ~/.config/fish/completions/strat.fish")]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "strat", &mut script);
        context.output.data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
