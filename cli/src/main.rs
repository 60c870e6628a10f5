//! The `strat` command.
//!
//! `args` says what can be said, `commands/<verb>.rs` does it, `render` makes text of it and
//! `output` writes that. Nothing else prints, and only `main` ends the process.

mod advice;
mod args;
mod arguments;
mod commands;
mod confirm;
mod context;
mod environment;
mod failure;
#[cfg(test)]
mod named_commands;
mod output;
mod policy;
mod providers;
mod render;
mod telemetry;
mod watch;
mod words;
mod write_file;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use stratiform::answer::{Own, Told};

use crate::args::{Cli, When};
use crate::context::Context;
use crate::failure::Failure;
use crate::telemetry::Telemetry;

/// A plan of a hundred thousand things is millions of small pieces of memory: with it such a plan
/// takes a third less processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match arguments::given() {
        Ok(args) => args,
        Err(failure) => return tell(&failure, &Context::new(When::Auto, None), false),
    };
    let parsed = Cli::command()
        .args_override_self(args.has_defaults)
        .try_get_matches_from(&args.words);
    let parsed = parsed.and_then(|matches| {
        let (json, stream) = (wants(&matches, "json"), wants(&matches, "stream"));
        Ok((Cli::from_arg_matches(&matches)?, json, stream))
    });
    let (cli, json, stream) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return misspoken(&args.words, &error),
    };
    let context = Context::new(cli.color, cli.env);
    if stream {
        context.output.stream();
    }
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
        Err(failure) => tell(&failure, &context, json),
    }
}

/// Tells of a failure, on stdout too where JSON was asked for: as the last of its lines, or where nothing
/// was written yet.
fn tell(failure: &Failure, context: &Context, json: bool) -> ExitCode {
    let width = context.output.stderr_width();
    context
        .output
        .note(&render::failure::failure(failure, width));
    if json {
        answer(failure, context);
    }
    ExitCode::FAILURE
}

/// Tells of a failure on stdout. Whoever cannot write that cannot be told so there.
fn answer(failure: &Failure, context: &Context) {
    let output = &context.output;
    if output.streams() {
        let _ = output.line(Told::Own(Own::Failed(&failure.answer())));
    } else if !output.has_data() {
        let _ = output.json(&failure.answer());
    }
}

/// Tells of a command line that makes no sense, or prints the help or the version that it asks for.
fn misspoken(words: &[OsString], error: &clap::Error) -> ExitCode {
    let context = Context::new(When::Auto, None);
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let given = |option: &str| error.use_stderr() && words.iter().any(|word| word == option);
    let json = given("--json");
    if json && given("--stream") {
        context.output.stream();
    }
    if let Some(failure) = words::answer(&words, error, &Cli::command()) {
        return tell(&failure, &context, json);
    }
    // Help and version are printed as errors too; nobody is left to tell if that fails.
    let _ = error.print();
    if json {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        answer(&Failure::new(message), &context);
    }
    ExitCode::from(u8::from(error.use_stderr()))
}

/// Whether the command has this flag and it was given: with `json`, its failure is told as JSON, too.
fn wants(matches: &ArgMatches, flag: &str) -> bool {
    let given = matches.try_get_one::<bool>(flag);
    let given = given.is_ok_and(|given| given.copied().unwrap_or(false));
    let inner = matches.subcommand();
    given || inner.is_some_and(|(_, matches)| wants(matches, flag))
}
