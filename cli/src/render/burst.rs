//! How bursts do, and why they decided what they did.

use std::fmt::Write as _;

use jiff::Timestamp;
use strat_burst::log::Done;
#[cfg(feature = "burst")]
use strat_burst::policy::Decision;
use strat_burst::policy::{Limit, Op, Record, SignalReport, Step};
#[cfg(feature = "burst")]
use strat_burst::run::Round;
use strat_burst::status::{Status, word};

use super::style::{BOLD, DELETE, paint};
use super::table::table;
use super::wrap::words;

/// How bursts do.
pub(crate) fn status(status: &Status, now: Timestamp, width: usize) -> String {
    let mut text = String::new();
    match &status.leader {
        Some(leader) => {
            let _ = writeln!(
                text,
                "{} leads, with epoch {}.",
                leader.holder, leader.epoch
            );
        }
        None => text.push_str("Nobody is known to lead.\n"),
    }
    if status.is_stale(now) {
        let line = format!(
            "Nothing has been said since {:.0}: the controller is gone.",
            status.at
        );
        let _ = writeln!(text, "{}", paint(DELETE, &line));
    }
    if let Some(pause) = &status.paused {
        let why = pause
            .why
            .as_ref()
            .map_or(String::new(), |why| format!(": {why}"));
        let line = format!(
            "Paused since {:.0} by {}{why}. Nothing is done.",
            pause.since, pause.by
        );
        let _ = writeln!(text, "{}", paint(DELETE, &line));
    }
    text.push('\n');
    let headings = [
        "burst", "want", "ready", "pending", "draining", "last", "because", "hour", "month",
    ];
    let rows = status.bursts.iter().map(|burst| {
        let last = burst.last.as_ref();
        let (action, because) = last.map_or((String::new(), String::new()), |last| {
            let id = last.id.get(..8).unwrap_or(&last.id);
            (format!("{} {id}", last.action), last.decided_by.clone())
        });
        vec![
            burst.name.clone(),
            format!("{} of {} to {}", burst.want, burst.min, burst.max),
            burst.ready.to_string(),
            burst.pending.to_string(),
            burst.draining.to_string(),
            action,
            because,
            format!("{:.2} USD", burst.hour),
            format!("{:.2} USD", burst.month),
        ]
    });
    text.push_str(&table(&headings, rows, Some(width)));
    for burst in &status.bursts {
        if !burst.limited_by.is_empty() {
            let by = burst.limited_by.join(", ");
            let _ = writeln!(text, "\n{} is held back by {by}.", burst.name);
        }
        alarms(&mut text, &burst.alarms, width);
    }
    alarms(&mut text, &status.problems, width);
    text
}

fn alarms(text: &mut String, alarms: &[String], width: usize) {
    for alarm in alarms {
        let lines = words(&format!("{alarm}."), width.saturating_sub(2));
        let _ = writeln!(text, "{} {}", paint(DELETE, "!"), lines.join("\n  "));
    }
}

/// Why a burst decided what it did.
pub(crate) fn explain(record: &Record, done: Option<&Done>, width: usize) -> String {
    let decision = &record.decision;
    let mut text = format!(
        "{} of burst.{} at {:.0}: {}, {} wanted, decided by {}\n\n",
        paint(BOLD, &record.id),
        decision.burst,
        decision.at,
        word(decision),
        decision.want,
        decision.decided_by,
    );
    let signals = decision.signals.iter().map(signal);
    text.push_str(&table(
        &["signal", "kind", "value", "age", "state"],
        signals,
        Some(width),
    ));
    text.push('\n');
    let needs = decision.needs.iter().map(|need| {
        vec![
            need.by.clone(),
            need.machines.to_string(),
            need.because.clone(),
        ]
    });
    text.push_str(&table(&["asks", "machines", "because"], needs, Some(width)));
    let counts = &decision.inventory;
    let sites = counts
        .by_site
        .iter()
        .map(|(site, count)| format!("{count} at {site}"));
    let sites: Vec<String> = sites.collect();
    let _ = writeln!(
        text,
        "\nThere are {} ready, {} pending, {} draining, {} unseen, {} late: {}.",
        counts.ready,
        counts.pending,
        counts.draining,
        counts.unseen,
        counts.late,
        if sites.is_empty() {
            "none".to_owned()
        } else {
            sites.join(", ")
        }
    );
    for limit in &decision.limits {
        let _ = writeln!(text, "{}", limited(limit));
    }
    let _ = writeln!(
        text,
        "It costs {:.4} USD an hour before and {:.4} after; {:.2} USD in this month{}.",
        decision.cost.hour_before,
        decision.cost.hour_after,
        decision.cost.month_to_date,
        match &decision.cost.limit {
            Some(limit) => format!(", of {limit}"),
            None => String::new(),
        }
    );
    if decision.cost.batch_lost_s > 0 {
        let minutes = decision.cost.batch_lost_s / 60;
        let _ = writeln!(
            text,
            "Batch machines that gave way in this month had run {minutes} machine-minutes."
        );
    }
    for step in &decision.steps {
        let _ = writeln!(text, "  {}", doing(step));
    }
    alarms(&mut text, &decision.alarms, width);
    match done {
        None if decision.steps.is_empty() => {}
        None => text.push_str("Nobody knows what came of it: the controller ended meanwhile.\n"),
        Some(done) => {
            let run = done.run.as_deref().unwrap_or("no plan");
            let _ = writeln!(text, "Carried out until {:.0}, by {run}.", done.at);
            alarms(&mut text, &done.problems, width);
        }
    }
    text
}

fn signal(report: &SignalReport) -> Vec<String> {
    let state = serde_json::to_value(report.state).ok();
    let state = state.and_then(|state| state.as_str().map(str::to_owned));
    let none = || "-".to_owned();
    vec![
        report.name.clone(),
        report.kind.clone(),
        report.value.map_or_else(none, |value| value.to_string()),
        report.age_s.map_or_else(none, |age| format!("{age} s")),
        state.unwrap_or_default(),
    ]
}

fn limited(limit: &Limit) -> String {
    format!(
        "Held back by {}: {} instead of {}.",
        limit.by, limit.to, limit.from
    )
}

/// A step in words.
fn doing(step: &Step) -> String {
    let verb = match step.op {
        Op::Resume => "put back to work",
        Op::Create => "make",
        Op::Preempt => "tell to give way",
        Op::Drain => "drain",
        Op::Release => "let go",
    };
    let spot = if step.spot { ", spot" } else { "" };
    let offer = match step.offer.as_str() {
        "" => String::new(),
        offer => format!(" {offer}{spot}"),
    };
    let what = format!(
        "{verb} {}{offer} at {} {}",
        step.count, step.site, step.zone
    );
    match step.ids.as_slice() {
        [] => what,
        ids => format!("{what}: {}", ids.join(", ")),
    }
}

/// A round, as lines of a log: what is new, and nothing where there is nothing.
#[cfg(feature = "burst")]
pub(crate) fn round(round: &Round) -> String {
    let mut text = String::new();
    let at = format!("{:.0}", round.at);
    for changed in &round.reloaded {
        let _ = writeln!(text, "{at} {changed}");
    }
    for (record, done) in &round.decided {
        let _ = writeln!(text, "{at} {}", in_one_line(&record.id, &record.decision));
        for alarm in &record.decision.alarms {
            let _ = writeln!(text, "{at} burst.{}: {alarm}", record.decision.burst);
        }
        for problem in done.iter().flat_map(|done| &done.problems) {
            let _ = writeln!(text, "{at} burst.{}: {problem}", record.decision.burst);
        }
    }
    for problem in &round.problems {
        let _ = writeln!(text, "{at} {problem}");
    }
    text
}

/// A decision in one line.
#[cfg(feature = "burst")]
fn in_one_line(id: &str, decision: &Decision) -> String {
    let counts = &decision.inventory;
    let steps: Vec<String> = decision.steps.iter().map(doing).collect();
    let steps = match steps.is_empty() {
        true => String::new(),
        false => format!("; {}", steps.join("; ")),
    };
    format!(
        "burst.{} {}: {} wanted by {}, {} ready, {} pending, {} draining{steps} ({})",
        decision.burst,
        word(decision),
        decision.want,
        decision.decided_by,
        counts.ready,
        counts.pending,
        counts.draining,
        id.get(..8).unwrap_or(id),
    )
}
