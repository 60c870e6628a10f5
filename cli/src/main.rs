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
mod telemetry;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Cli;
use crate::context::Context;
use crate::telemetry::Telemetry;

/// A plan of a hundred thousand things is millions of small pieces of memory: with it such a plan
/// takes a third less processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let run = || {
        let telemetry = Telemetry::start(&cli.telemetry)?;
        context.observe_calls(telemetry.observers());
        // One trace for the whole of it.
        let whole = tracing::info_span!("strat").entered();
        let done = commands::run(cli.command, &context);
        drop(whole);
        telemetry.finish(&context.output);
        done
    };
    match run() {
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
