//! What became of an apply.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use stratiform::answer::{
    Applied, Finding, Place, ProblemTold, Relocated, StepOutcome, StepTold, Went,
};
use stratiform::engine::{Operation, Outcome, Problem, Report, StepReport};
use stratiform::model::{Addr, ErrorView, Severity};
use stratiform::topology::Output;
use stratiform::{ApplyOutcome, MachinePlace, Relocation, Stuck};

use super::failure::details;
use super::outputs;
use super::progress::duration;
use super::style::{BOLD, CREATE, DELETE, DIM, UPDATE, paint};
use super::wrap::words;
use crate::failure::Failure;

/// What was done, what failed and why, what was left out because of it, and what to do next.
pub(crate) fn report(
    outcome: &ApplyOutcome,
    command: &str,
    took: Duration,
    width: usize,
) -> String {
    let mut text = String::new();
    relocated(&mut text, outcome, width);
    if let Some(report) = outcome.reports.last() {
        failures(&mut text, report, width);
        skipped(&mut text, report);
        fatal(&mut text, report, width);
    }
    foot(&mut text, outcome, command, took);
    text
}

/// Which machines went elsewhere, and why.
fn relocated(text: &mut String, outcome: &ApplyOutcome, width: usize) {
    if outcome.relocations.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint(BOLD, "Placed elsewhere:"));
    for relocation in &outcome.relocations {
        let mut lines = words(&relocation.to_string(), width.saturating_sub(4)).into_iter();
        if let Some(first) = lines.next() {
            let _ = writeln!(text, "  {} {first}", paint(UPDATE, ">"));
        }
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    if let Some(why) = &outcome.stuck {
        let view = why.view();
        for line in words(
            &format!("Nowhere else: {}", view.message),
            width.saturating_sub(2),
        ) {
            let _ = writeln!(text, "  {line}");
        }
        details(text, "    ", &view, &view.reference(), width);
    }
}

/// Of how many requests that failed the same way the ids are told.
const REQUESTS_MAX: usize = 3;

/// Of how many steps that failed the same way, or were left out for one, each has a line.
const STEPS_MAX: usize = 5;

/// What failed in one way.
struct Group<'a> {
    /// The first of the failures: the others say the same of other things.
    first: ErrorView,
    /// Each operation and address once, with how many steps it stands for.
    steps: BTreeMap<(&'static str, &'a Addr), usize>,
    /// The ids of the vendor's requests.
    requests: Vec<String>,
}

/// Each failure once, with everything that failed that way.
fn failures(text: &mut String, report: &Report, width: usize) {
    let mut groups: BTreeMap<ErrorView, Group<'_>> = BTreeMap::new();
    for (step, error) in report.failures() {
        let mut view = *Failure::told(error.view()).view;
        view.addr = None;
        let request = view.request_id.take();
        let mut alike = view.clone();
        alike.message = without_ids(&view.message);
        let group = groups.entry(alike).or_insert_with(|| Group {
            first: view,
            steps: BTreeMap::new(),
            requests: Vec::new(),
        });
        let what = (step.operation.as_str(), &step.addr);
        *group.steps.entry(what).or_default() += 1;
        group.requests.extend(request);
    }
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint(BOLD, "Failed:"));
    for group in groups.into_values() {
        let sign = paint(DELETE, "x");
        for ((operation, addr), steps) in group.steps.iter().take(STEPS_MAX) {
            let times = times(*steps);
            let _ = writeln!(text, "  {sign} {operation} {addr}{times}");
        }
        let more: usize = group.steps.values().skip(STEPS_MAX).sum();
        if more > 0 {
            let _ = writeln!(text, "  {sign} {}", paint(DIM, format!("and {more} more")));
        }
        let mut view = group.first;
        view.request_id = requests(&group.requests);
        chain(text, &view, width);
    }
}

/// ` (12 times)`, where it is more than once.
fn times(count: usize) -> String {
    match count {
        1 => String::new(),
        _ => format!(" ({count} times)"),
    }
}

/// A message without its ids, names of single machines and amounts: every word with a digit in it. Two
/// failures whose messages differ in nothing else are told as one.
fn without_ids(message: &str) -> String {
    let word = |word: &str| match word.contains(|c: char| c.is_ascii_digit()) {
        true => "#".to_owned(),
        false => word.to_owned(),
    };
    let all: Vec<String> = message.split_whitespace().map(word).collect();
    all.join(" ")
}

/// `4f2a, 7c01 and 3 more`.
fn requests(ids: &[String]) -> Option<String> {
    let told = ids.get(..REQUESTS_MAX).unwrap_or(ids).join(", ");
    match ids.len().saturating_sub(REQUESTS_MAX) {
        0 => (!told.is_empty()).then_some(told),
        more => Some(format!("{told} and {more} more")),
    }
}

fn chain(text: &mut String, view: &ErrorView, width: usize) {
    for line in words(&view.message, width.saturating_sub(6)) {
        let _ = writeln!(text, "      {line}");
    }
    details(text, "      ", view, &view.reference(), width);
}

/// What was left out, by the failure that is to blame.
fn skipped(text: &mut String, report: &Report) {
    let mut because: BTreeMap<&Addr, Vec<&Addr>> = BTreeMap::new();
    for step in &report.steps {
        if let Outcome::Skipped { because: blame } = &step.outcome {
            because.entry(blame).or_default().push(&step.addr);
        }
    }
    if because.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", paint(BOLD, "Left out:"));
    for (blame, mut addrs) in because {
        addrs.sort();
        addrs.dedup();
        let sign = paint(UPDATE, "-");
        let why = paint(DIM, format!("because {blame} failed"));
        for addr in addrs.iter().take(STEPS_MAX) {
            let _ = writeln!(text, "  {sign} {addr} {why}");
        }
        if let Some(more) = addrs.len().checked_sub(STEPS_MAX).filter(|more| *more > 0) {
            let more = paint(DIM, format!("and {more} more"));
            let _ = writeln!(text, "  {sign} {more} {why}");
        }
    }
}

fn fatal(text: &mut String, report: &Report, width: usize) {
    if let Some(error) = &report.fatal {
        let _ = writeln!(text, "\n{}", paint(BOLD, "The run ended early:"));
        chain(text, &Failure::told(error.view()).view, width);
    }
}

fn foot(text: &mut String, outcome: &ApplyOutcome, command: &str, took: Duration) {
    let mut parts = done(outcome);
    let counts = outcome.reports.last().map(|report| report.counts);
    if let Some(counts) = counts {
        for (number, word, style) in [
            (counts.failed, "failed", DELETE),
            (counts.skipped, "left out", UPDATE),
            (counts.stopped, "not begun or not waited for", UPDATE),
        ] {
            if number > 0 {
                parts.push(paint(style, format!("{number} {word}")));
            }
        }
    }
    let (word, style) = if outcome.is_success() {
        ("Done:", CREATE)
    } else if outcome.is_interrupted() {
        ("Stopped:", UPDATE)
    } else {
        ("Not done:", DELETE)
    };
    let refused = outcome.refused.len();
    if parts.is_empty() {
        let rest = match outcome.is_success() {
            true if outcome.withheld.is_empty() => "nothing to do",
            true => "nothing else is to do",
            false if !outcome.unfinished.is_empty() => {
                "not everything is ready, and nothing else is to do"
            }
            false if outcome.observation.problems.is_empty() => "nothing else is to do",
            false => "not everything could be seen, and nothing else is to do",
        };
        parts.push(rest.to_owned());
    }
    let _ = writeln!(
        text,
        "\n{} {} {}",
        paint(style.bold(), word),
        parts.join(", "),
        paint(DIM, format!("({})", duration(took)))
    );
    if refused > 0 {
        let addrs: Vec<_> = outcome
            .refused
            .iter()
            .map(|one| one.addr.to_string())
            .collect();
        let left = format!(
            "Left as it is, for it cannot be changed: {}.",
            addrs.join(", ")
        );
        let _ = writeln!(text, "{left}");
    }
    if !outcome.withheld.is_empty() {
        let what: Vec<_> = outcome
            .withheld
            .iter()
            .map(|one| one.what.as_str())
            .collect();
        let left = format!(
            "Left as it is, because too little is known: {}.",
            what.join(", ")
        );
        let _ = writeln!(text, "{left}");
    }
    if !outcome.unfinished.is_empty() {
        let addrs: Vec<_> = outcome.unfinished.iter().map(Addr::to_string).collect();
        let left = format!(
            "Still being made, since an earlier run that did not come to its end: {}.",
            addrs.join(", ")
        );
        let _ = writeln!(text, "{left}");
    }
    let failed = outcome
        .reports
        .last()
        .is_some_and(|report| !report.is_success());
    if !outcome.is_success() && (failed || refused == 0) {
        let next = format!("What is done stays done; `strat {command}` again goes on from here.");
        let _ = writeln!(text, "{next}");
    }
}

/// `30 created`, `2 deleted`: how many things each operation was done to, over all rounds.
fn done(outcome: &ApplyOutcome) -> Vec<String> {
    let mut counts: BTreeMap<Operation, u32> = BTreeMap::new();
    let steps = outcome.reports.iter().flat_map(|report| &report.steps);
    for step in steps {
        let count = match &step.outcome {
            Outcome::Done => step.count,
            // A batch may have made some before it failed.
            _ => u32::try_from(step.made.len()).unwrap_or(u32::MAX),
        };
        *counts.entry(step.operation).or_default() += count;
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(operation, count)| format!("{count} {}", super::progress::done(operation)))
        .collect()
}

/// What became of an apply, and the outputs; and what the topology says must hold and does not.
pub(crate) fn applied<'o>(
    outcome: &'o ApplyOutcome,
    values: &'o BTreeMap<String, Output>,
    findings: Vec<Finding>,
) -> Applied<'o> {
    let rounds = outcome.reports.iter().enumerate();
    let steps = rounds.flat_map(|(round, report)| {
        let steps = report.steps.iter();
        steps.map(move |step| step_told(round, step))
    });
    let last = outcome.reports.last();
    let fatal = last.and_then(|report| report.fatal.as_ref());
    let seen = outcome.observation.problems.iter();
    let broken = findings.iter().any(|one| one.severity == Severity::Error);
    Applied {
        success: outcome.is_success() && !broken,
        interrupted: outcome.is_interrupted(),
        counts: last.map(|report| report.counts).unwrap_or_default(),
        steps: steps.collect(),
        relocations: outcome.relocations.iter().map(relocated_told).collect(),
        stuck: outcome.stuck.as_ref().map(Stuck::view),
        refused: &outcome.refused,
        withheld: &outcome.withheld,
        unfinished: &outcome.unfinished,
        problems: seen.chain(&outcome.unsettled).map(problem_told).collect(),
        fatal: fatal.map(|error| Failure::told(error.view()).view),
        findings,
        policy: &outcome.policy,
        outputs: outputs::to_json(values),
    }
}

fn step_told(round: usize, step: &StepReport) -> StepTold<'_> {
    let (outcome, error, because) = match &step.outcome {
        Outcome::Done => (StepOutcome::Done, None, None),
        Outcome::Failed(error) => (StepOutcome::Failed, Some(error), None),
        Outcome::Skipped { because } => (StepOutcome::Skipped, None, Some(because)),
        Outcome::NotStarted => (StepOutcome::NotStarted, None, None),
        Outcome::Abandoned => (StepOutcome::Abandoned, None, None),
    };
    StepTold {
        round: round + 1,
        addr: &step.addr,
        site: &step.site,
        action: step.action,
        operation: step.operation,
        count: step.count,
        outcome,
        error: error.map(|error| Failure::told(error.view()).view),
        because,
        ids: &step.made,
    }
}

fn problem_told(problem: &Problem) -> ProblemTold<'_> {
    ProblemTold {
        site: &problem.site,
        kind: problem.kind,
        error: Failure::told(problem.error.view()).view,
    }
}

fn relocated_told(relocation: &Relocation) -> Relocated<'_> {
    let to = relocation.to.iter().map(|to| Went {
        place: place(&to.place),
        placed: to.placed,
        made: to.made,
    });
    Relocated {
        addr: &relocation.addr,
        round: relocation.round + 1,
        count: relocation.count,
        from: place(&relocation.from),
        error: relocation.why.view(),
        to: to.collect(),
    }
}

fn place(place: &MachinePlace) -> Place<'_> {
    Place {
        site: &place.site,
        zone: &place.offer.zone,
        machine_type: &place.offer.machine_type,
        capacity: place.offer.capacity,
    }
}
