//! What was measured, printed as it comes.

use std::io::{self, Write as _};

use crate::command::Used;

/// The commands of one tool on one topology.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// What was measured, and how much of it.
    pub(crate) what: String,
    /// How much of it there is.
    pub(crate) count: u32,
    /// Each command, in order.
    pub(crate) commands: Vec<(&'static str, Used)>,
}

/// Every series so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    series: Vec<Series>,
}

impl Table {
    /// Prints the head.
    pub(crate) fn new() -> Self {
        print(&format!(
            "{:<44} {:<16} {:>10} {:>10} {:>9}",
            "what", "command", "time", "cpu", "memory"
        ));
        Self::default()
    }

    /// Prints one command.
    pub(crate) fn row(&self, what: &str, command: &str, used: &Used) {
        print(&format!(
            "{what:<44} {command:<16} {:>10} {:>10} {:>9}",
            seconds(used.wall.as_secs_f64()),
            seconds(used.cpu.as_secs_f64()),
            megabytes(used.peak)
        ));
    }

    /// Keeps a series whose rows were printed.
    pub(crate) fn keep(&mut self, series: Series) {
        self.series.push(series);
    }

    /// Prints how many times faster and leaner `ours` is.
    pub(crate) fn compare(&self, ours: &Series, theirs: &Series) {
        for (command, used) in &ours.commands {
            let other = theirs.commands.iter().find(|(name, _)| name == command);
            if let Some((_, other)) = other {
                let faster = other.wall.as_secs_f64() / used.wall.as_secs_f64();
                let cheaper = other.cpu.as_secs_f64() / used.cpu.as_secs_f64();
                let leaner = ratio(other.peak, used.peak);
                print(&format!(
                    "{:<44} {command:<16} {faster:>9.0}x faster, {cheaper:.0}x less cpu, \
                     {leaner:.1}x leaner",
                    format!("{}: ratio", ours.what)
                ));
            }
        }
    }

    /// Prints how time and memory grow where one thing was measured at several sizes.
    pub(crate) fn growth(&self) {
        for (at, large) in self.series.iter().enumerate() {
            let kind = kind(&large.what);
            let earlier = self.series[..at].iter().rev();
            let Some(small) = earlier.clone().find(|s| self::kind(&s.what) == kind) else {
                continue;
            };
            for (command, used) in &large.commands {
                let Some((_, before)) = small.commands.iter().find(|(name, _)| name == command)
                else {
                    continue;
                };
                print(&format!(
                    "{:<44} {command:<16} {:>9.1}x time, {:.1}x cpu, {:.1}x memory for {}x as many",
                    format!("{} -> {}: growth", small.what, large.count),
                    used.wall.as_secs_f64() / before.wall.as_secs_f64(),
                    used.cpu.as_secs_f64() / before.cpu.as_secs_f64(),
                    ratio(used.peak, before.peak),
                    large.count / small.count.max(1)
                ));
            }
        }
    }
}

/// What a series is about, without its number.
fn kind(what: &str) -> &str {
    what.split_once(' ').map_or(what, |(_, kind)| kind)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}

fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// Prints a line of the table.
pub(crate) fn print(line: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a line about the run itself.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
