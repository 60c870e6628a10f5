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
#[cfg(test)]
mod named_commands;
mod output;
mod providers;
mod render;
mod telemetry;
mod watch;
mod write_file;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::args::Cli;
use crate::context::Context;
use crate::telemetry::Telemetry;

/// A plan of a hundred thousand things is millions of small pieces of memory: with it such a plan
/// takes a third less processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let parsed = Cli::command().try_get_matches();
    let parsed =
        parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, wants_json(&matches))));
    let (cli, json) = match parsed {
        Ok(parsed) => parsed,
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
            if json && !context.output.has_data() {
                // Whoever cannot write the answer cannot be told so there.
                let _ = context.output.json(&failure.to_json());
            }
            ExitCode::FAILURE
        }
    }
}

/// Whether the command is one that was asked for JSON: then its failure is told as JSON, too.
fn wants_json(matches: &ArgMatches) -> bool {
    let asked = |matches: &ArgMatches| {
        let flag = matches.try_get_one::<bool>("json");
        flag.is_ok_and(|flag| flag.copied().unwrap_or(false))
    };
    let inner = matches.subcommand();
    asked(matches) || inner.is_some_and(|(_, matches)| wants_json(matches))
}
