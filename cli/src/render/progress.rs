//! What is going on, as it goes on: bars on a terminal, lines elsewhere.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use stratiform::engine::{Event, Operation};
use stratiform::model::{Addr, Kind};
use tokio::time::Instant;

use super::style::{CREATE, DELETE, DIM, NOTE, UPDATE, paint};
use crate::output::Output;

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// How late lists are, in milliseconds, that are worth a line.
const LAG_TOLD_MS: u64 = 2000;
/// The most steps that have a spinner of their own; more only flicker.
const SPINNERS_MAX: usize = 12;

/// Shows events on stderr, and where lines of JSON are asked for, writes those.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bars: Option<Bars>,
    started: BTreeMap<u32, Instant>,
    rounds: u32,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    total: Option<ProgressBar>,
    steps: BTreeMap<u32, ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Progress for a person, if one is there.
    pub(crate) fn new(output: &'a Output) -> Self {
        let bars = output.stderr_is_terminal().then(|| Bars {
            all: MultiProgress::new(),
            total: None,
            steps: BTreeMap::new(),
        });
        Self {
            output,
            bars,
            started: BTreeMap::new(),
            rounds: 0,
        }
    }

    /// Shows one event.
    pub(crate) fn on(&mut self, event: &Event) {
        self.output.event(event);
        let now = Instant::now();
        if let Event::StepStarted { step, .. } = event {
            self.started.insert(*step, now);
        }
        if let Event::RunStarted { .. } = event {
            self.rounds += 1;
            if self.rounds > 1 {
                self.say(&paint(NOTE, "planned again, without what is out of stock"));
            }
        }
        let took = step(event)
            .and_then(|step| self.started.get(&step))
            .map_or(Duration::ZERO, |start| now.duration_since(*start));
        if let Some(bars) = &mut self.bars {
            bars.on(event);
        }
        if let Some(line) = line(event, took, self.bars.is_some()) {
            self.say(&line);
        }
    }

    /// Writes a line, above the bars.
    fn say(&self, line: &str) {
        let write = || self.output.note(&format!("{line}\n"));
        match &self.bars {
            Some(bars) => bars.all.suspend(write),
            None => write(),
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&mut self) {
        if let Some(bars) = &mut self.bars {
            bars.end();
        }
    }
}

impl Bars {
    fn on(&mut self, event: &Event) {
        match event {
            Event::RunStarted { steps, .. } => {
                let style =
                    ProgressStyle::with_template("{bar:30.green} {pos}/{len} steps {elapsed}");
                let total = ProgressBar::new(*steps as u64);
                if let Ok(style) = style {
                    total.set_style(style);
                }
                self.total = Some(self.all.add(total));
            }
            Event::StepStarted {
                step,
                addr,
                operation,
                count,
                ..
            } if self.steps.len() < SPINNERS_MAX => {
                let bar = ProgressBar::new_spinner();
                let bar = match &self.total {
                    Some(total) => self.all.insert_before(total, bar),
                    None => self.all.add(bar),
                };
                bar.set_message(format!("{} {}", doing(*operation), what(addr, *count)));
                bar.enable_steady_tick(TICK);
                self.steps.insert(*step, bar);
            }
            Event::StepProgress {
                step,
                addr,
                waiting,
                ..
            } => {
                if let Some(bar) = self.steps.get(step) {
                    bar.set_message(format!("waiting for {}", what_waits(addr, *waiting)));
                }
            }
            Event::Emptying { step, removed, .. } => {
                if let Some(bar) = self.steps.get(step) {
                    bar.set_message(format!("emptying: {removed} deleted"));
                }
            }
            Event::StepFinished { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepSkipped { step, .. } => {
                if let Some(bar) = self.steps.remove(step) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
                self.total.iter().for_each(|total| total.inc(1));
            }
            Event::RunFinished { .. } => self.end(),
            _ => {}
        }
    }

    fn end(&mut self) {
        for bar in std::mem::take(&mut self.steps).into_values() {
            bar.finish_and_clear();
        }
        if let Some(total) = self.total.take() {
            total.finish_and_clear();
        }
    }
}

const fn step(event: &Event) -> Option<u32> {
    match event {
        Event::StepStarted { step, .. }
        | Event::StepProgress { step, .. }
        | Event::Emptying { step, .. }
        | Event::StepFinished { step, .. }
        | Event::StepFailed { step, .. }
        | Event::StepSkipped { step, .. } => Some(*step),
        _ => None,
    }
}

/// Whom a run waits for.
fn waiting(place: &str, holder: &str, command: &str, since: Option<&Timestamp>) -> String {
    let doing = match (command, since) {
        ("", _) | (_, None) => String::new(),
        (command, Some(since)) => format!(" (`{command}`, since {since:.0})"),
    };
    format!("waiting: {holder}{doing} holds the lease of {place}")
}

/// The line of an event, if it is worth one. With bars, what begins has a spinner and no line.
fn line(event: &Event, took: Duration, bars: bool) -> Option<String> {
    Some(match event {
        Event::LeaseWaiting {
            place,
            holder,
            command,
            since,
            expires,
            waited_s,
            patience_s,
        } => {
            let whom = waiting(place, holder, command, since.as_ref());
            paint(
                UPDATE,
                format!(
                    "{whom}; unless it is renewed it ends at {expires:.0}; waited {waited_s} s, \
                     {patience_s} s more at most"
                ),
            )
        }
        Event::HalfDone { addrs, waited_s } => {
            let (first, more) = (addrs.first()?, addrs.len() - 1);
            let others = match more {
                0 => String::new(),
                _ => format!(" and {more} more"),
            };
            paint(
                UPDATE,
                format!(
                    "waiting for {first}{others}, which an earlier run left half done; waited {waited_s} s"
                ),
            )
        }
        Event::Silent {
            site,
            operation,
            kind,
            waited_s,
        } => {
            let call = call(operation, *kind);
            paint(
                UPDATE,
                format!("{site} has not answered for {waited_s} s: {call}"),
            )
        }
        Event::Retrying {
            site,
            operation,
            kind,
            why,
            attempts,
            wait_ms,
        } => {
            let call = call(operation, *kind);
            let wait = duration(Duration::from_millis(*wait_ms));
            paint(
                UPDATE,
                format!("{site}: {call} failed {attempts} times, tried again in {wait}: {why}"),
            )
        }
        Event::ListsLag { site, wait_ms } if *wait_ms >= LAG_TOLD_MS => {
            let wait = duration(Duration::from_millis(*wait_ms));
            paint(
                UPDATE,
                format!(
                    "{site} may list {wait} late what another folder made: it is looked at after that"
                ),
            )
        }
        Event::LeaseStoreMade { place, what } => {
            paint(CREATE, format!("made {what}, for the lease of {place}"))
        }
        Event::Settled {
            addr,
            operation,
            found,
            ..
        } => {
            let found = match found.len() {
                0 => "had made nothing".to_owned(),
                n => format!("had made {n}"),
            };
            paint(
                NOTE,
                format!("settled: an interrupted {operation} of {addr} {found}"),
            )
        }
        Event::Warning { message } => format!("{} {message}", paint(UPDATE.bold(), "warning:")),
        Event::StepStarted {
            addr,
            operation,
            count,
            ..
        } if !bars => paint(DIM, format!("{} {}", doing(*operation), what(addr, *count))),
        Event::StepProgress {
            addr,
            operation,
            waiting,
            waited_s: waited_s @ 1..,
            ..
        } if !bars => paint(
            UPDATE,
            format!(
                "waiting for {} to be {}; waited {waited_s} s",
                what_waits(addr, *waiting),
                awaited(*operation)
            ),
        ),
        Event::StepFinished {
            addr,
            operation,
            count,
            ..
        } => format!(
            "{} {} {}",
            paint(CREATE, done(*operation)),
            what(addr, *count),
            paint(DIM, format!("({})", duration(took)))
        ),
        Event::StepFailed {
            addr,
            operation,
            error,
            ..
        } => format!(
            "{} {operation} {addr} {}: {error}",
            paint(DELETE, "failed"),
            paint(DIM, format!("({})", duration(took)))
        ),
        Event::StepSkipped { addr, because, .. } => format!(
            "{} {addr}, because {because} failed",
            paint(UPDATE, "skipped")
        ),
        Event::Stopping => paint(
            UPDATE,
            "stopping: calls in flight are finished, nothing new begins; Ctrl-C again stops at once",
        ),
        _ => return None,
    })
}

/// A call in words: `list of machines`.
fn call(operation: &str, kind: Option<Kind>) -> String {
    let of = kind.map_or_else(String::new, |kind| format!(" of {}", kind.plural()));
    format!("{}{of}", operation.replace('_', " "))
}

/// An address, and how many when there are several.
fn what(addr: &Addr, count: u32) -> String {
    if count > 1 {
        format!("{addr} x{count}")
    } else {
        addr.to_string()
    }
}

fn what_waits(addr: &Addr, waiting: usize) -> String {
    what(addr, u32::try_from(waiting).unwrap_or(u32::MAX))
}

/// `0.4s`, `12.0s`, `3m 05s`.
pub(crate) fn duration(took: Duration) -> impl Display {
    let seconds = took.as_secs();
    if seconds >= 60 {
        format!("{}m {:02}s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1}s", took.as_secs_f64())
    }
}

const fn doing(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "creating",
        Operation::Update => "updating",
        Operation::Attach => "attaching",
        Operation::Detach => "detaching",
        Operation::Stop => "shutting down",
        Operation::Start => "starting",
        Operation::Restart => "restarting",
        Operation::Probe => "asking",
        Operation::Delete => "deleting",
    }
}

/// What a thing is to be once a step need not wait any more.
const fn awaited(operation: Operation) -> &'static str {
    match operation {
        Operation::Attach => "attached",
        Operation::Detach => "detached",
        Operation::Stop => "shut down",
        Operation::Delete => "gone",
        Operation::Create
        | Operation::Update
        | Operation::Start
        | Operation::Restart
        | Operation::Probe => "ready",
    }
}

pub(crate) const fn done(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "created",
        Operation::Update => "updated",
        Operation::Attach => "attached",
        Operation::Detach => "detached",
        Operation::Stop => "shut down",
        Operation::Start => "started",
        Operation::Restart => "restarted",
        Operation::Probe => "healthy",
        Operation::Delete => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_line_with_its_time() {
        let event = Event::StepFinished {
            step: 1,
            addr: "machines.web@dc1".parse().expect("addr"),
            site: "dc1".parse().expect("name"),
            operation: Operation::Create,
            count: 6,
        };
        let line = line(&event, Duration::from_millis(1234), false).expect("a line");
        assert_eq!(
            anstream::adapter::strip_str(&line).to_string(),
            "created machines.web@dc1 x6 (1.2s)"
        );
        assert_eq!(duration(Duration::from_secs(185)).to_string(), "3m 05s");
    }
}
