//! Speed and scale in one run: Stratiform, and beside it the tool to beat.
//!
//! `cargo run --release -p strat-bench` builds `strat`, writes topologies of growing size, runs the
//! real command over them on the simulator without latency, and prints time, peak memory and
//! ratios. See `docs/performance.md`.

mod command;
mod foreign;
#[cfg(test)]
mod growth;
mod ours;
mod paced;
mod shape;
mod start;
mod table;
mod terraform;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::table::Table;

/// Measure `strat`, and compare it with `terraform` where that is found.
#[derive(Debug, Parser)]
#[command(after_help = "\
Times are of whole processes, from start to exit; memory is the peak of the process.
Both tools run in the same minutes on the same machine: read the ratios, not the seconds.")]
struct Args {
    /// The `strat` to measure. Without it, one is built in release mode.
    #[arg(long, value_name = "FILE")]
    strat: Option<PathBuf>,

    /// Leave terraform out.
    #[arg(long)]
    no_terraform: bool,

    /// Give terraform 10,000 resources with references too: ten minutes and 15 GB for its plan
    /// alone.
    #[arg(long)]
    terraform_10000: bool,

    /// Only up to so many resources.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max: u32,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let strat = match &args.strat {
        Some(path) => path.canonicalize()?,
        None => command::build()?,
    };
    let mut table = Table::new();
    start::measure(&strat, &mut table)?;
    for count in [1_000, 10_000] {
        if count > args.max {
            continue;
        }
        let ours = ours::separate(&strat, count, &mut table)?;
        let wanted = count == 1_000 || args.terraform_10000;
        if !args.no_terraform && wanted {
            match terraform::separate(count, &mut table)? {
                Some(theirs) => table.compare(&ours, &theirs),
                None => table::note("terraform is not on PATH: no comparison"),
            }
        }
    }
    if args.max >= 100_000 {
        ours::instances(&strat, 10_000, &mut table)?;
        ours::instances(&strat, 100_000, &mut table)?;
        ours::blocks(&strat, 100_000, &mut table)?;
        ours::fleet(&strat, 10_000, &mut table)?;
        ours::fleet(&strat, 100_000, &mut table)?;
        table.growth();
    }
    if args.max >= 1_000_000 {
        ours::fleet_plan(&strat, 1_000_000, &mut table)?;
    }
    for told in [true, false] {
        paced::print(&paced::measure(1_000, 200, told)?, told);
    }
    // Last: a process that is started counts the memory of the one that started it as its own.
    foreign::measure()?;
    Ok(())
}
