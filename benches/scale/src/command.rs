//! Running a program to its end, with what it used.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;
use wait4::Wait4 as _;

/// What a process used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// From start to exit.
    pub(crate) wall: Duration,
    /// Processor time, of all its threads.
    pub(crate) cpu: Duration,
    /// The most memory it had at once, in bytes.
    pub(crate) peak: u64,
}

/// Runs `program` in `dir` and waits for it. What it prints goes nowhere but into a file, as in a
/// script; it must end with one of `codes`.
pub(crate) fn run(program: &Path, args: &[&str], dir: &Path, codes: &[i32]) -> io::Result<Used> {
    let log = dir.join("last.log");
    let errors = dir.join("last.err");
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&log)?)
        .stderr(std::fs::File::create(&errors)?)
        .spawn()?;
    let ended = child.wait4()?;
    let wall = start.elapsed();
    if !ended
        .status
        .code()
        .is_some_and(|code| codes.contains(&code))
    {
        let said = std::fs::read_to_string(&errors).unwrap_or_default();
        let said: String = said.chars().take(2_000).collect();
        let what = format!(
            "{} {}: {}\n{said}",
            program.display(),
            args.join(" "),
            ended.status
        );
        return Err(io::Error::other(what));
    }
    Ok(Used {
        wall,
        cpu: ended.rusage.utime + ended.rusage.stime,
        peak: ended.rusage.maxrss,
    })
}

/// The best of some runs: what the program takes when nothing else is in its way.
pub(crate) fn best(times: u32, mut run: impl FnMut() -> io::Result<Used>) -> io::Result<Used> {
    let mut best = run()?;
    for _ in 1..times {
        let next = run()?;
        if next.wall < best.wall {
            best = next;
        }
    }
    Ok(best)
}

/// Builds `strat` as it is released, and says where it is.
pub(crate) fn build() -> io::Result<PathBuf> {
    let args = ["build", "--release", "--package", "strat", "--bin", "strat"];
    let built = Command::new(option_env!("CARGO").unwrap_or("cargo"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err(io::Error::other("strat could not be built"));
    }
    // It lies beside this program: both are built into one folder.
    let mut path = std::env::current_exe()?;
    path.set_file_name(format!("strat{}", std::env::consts::EXE_SUFFIX));
    path.canonicalize()
}

/// A program on the search path.
pub(crate) fn find(program: &str) -> bool {
    let asked = Command::new(program)
        .arg("version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}
