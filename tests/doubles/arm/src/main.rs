//! The double as a command, for clients that are no Rust:
//! `strat-arm --root FILE [--description FILE] [--port PORT] [--subscription GUID]...`. It writes
//! the root that clients have to trust to FILE, tells its endpoint in one line, and ends when its
//! standard input does.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use strat_arm::{Arm, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "strat-arm: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (options, root) = options(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let arm = runtime.block_on(Arm::start(&options))?;
    let written = std::fs::write(&root, arm.root_pem());
    written.map_err(|error| format!("{}: {error}", root.display()))?;
    let mut out = std::io::stdout();
    let told = writeln!(out, "{}", arm.endpoint()).and_then(|()| out.flush());
    told.map_err(|error| error.to_string())?;
    let mut rest = Vec::new();
    let ended = std::io::stdin().read_to_end(&mut rest);
    ended.map(|_| ()).map_err(|error| error.to_string())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<(Options, PathBuf), String> {
    let mut options = Options::new("00000000-0000-4000-8000-000000000001");
    let (mut subscriptions, mut root) = (Vec::new(), None);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--root" => root = Some(value.into()),
            "--description" => options.description = Some(value.into()),
            "--port" => options.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            "--subscription" => subscriptions.push(value),
            _ => {
                let known = "--root, --description, --port, --subscription";
                return Err(format!("{name} is no option: {known}"));
            }
        }
    }
    if !subscriptions.is_empty() {
        options.subscriptions = subscriptions;
    }
    let root = root.ok_or("--root says where to write the root that clients have to trust")?;
    Ok((options, root))
}
