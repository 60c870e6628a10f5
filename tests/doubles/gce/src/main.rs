//! The double as a command, for clients that are no Rust:
//! `strat-gce --peers DIR [--port PORT] [--project NAME]...`. It tells its endpoint in one line, and
//! ends when its standard input does.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use strat_gce::{Gce, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "strat-gce: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let options = options(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let gce = runtime.block_on(Gce::start(&options))?;
    let mut out = std::io::stdout();
    let told = writeln!(out, "{}", gce.endpoint()).and_then(|()| out.flush());
    told.map_err(|error| error.to_string())?;
    let mut rest = Vec::new();
    let ended = std::io::stdin().read_to_end(&mut rest);
    ended.map(|_| ()).map_err(|error| error.to_string())
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::new("", "double");
    let mut projects = Vec::new();
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--peers" => options.peers = value.into(),
            "--port" => options.port = value.parse().map_err(|_| format!("{value} is no port"))?,
            "--project" => projects.push(value),
            _ => return Err(format!("{name} is no option: --peers, --port, --project")),
        }
    }
    if !projects.is_empty() {
        options.projects = projects;
    }
    Ok(options)
}
