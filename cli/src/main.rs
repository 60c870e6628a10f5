//! The `strat` command.
//!
//! `args` says what can be said, `commands/<verb>.rs` does it, `render` makes text of it and
//! `output` writes that. Nothing else prints, and only `main` ends the process.

mod args;
mod commands;
mod confirm;
mod context;
mod environment;
mod failure;
mod output;
mod providers;
mod render;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;
use crate::context::Context;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed as errors too; nobody is left to tell if that fails.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let context = Context::new(cli.color);
    match commands::run(cli.command, &context) {
        Ok(exit) => exit.code(),
        Err(failure) => {
            let width = context.output.stderr_width();
            context
                .output
                .note(&render::failure::failure(&failure, width));
            ExitCode::FAILURE
        }
    }
}
