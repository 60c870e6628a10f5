//! A rehearsal, for the person on call.

use std::fmt::Write as _;
use std::time::Duration;

use rust_decimal::Decimal;
use strat_rehearsal::{Load, NextApply, PlannedChange, Rehearsal};
use stratiform::model::Name;

use super::left::why;
use super::progress::duration;
use super::style::{BOLD, CREATE, DELETE, DIM, UPDATE, paint};
use super::wrap::{pad, words, wrap};

/// What goes down, what is left, and what each next apply does.
pub(crate) fn rehearsal(rehearsal: &Rehearsal, width: usize) -> String {
    let mut text = String::new();
    head(&mut text, rehearsal, width);
    down(&mut text, rehearsal, width);
    let _ = writeln!(
        text,
        "{}\n",
        paint(BOLD, "What is left, before anything is done:")
    );
    loads(&mut text, &rehearsal.loads);
    for next in &rehearsal.next {
        apply(&mut text, rehearsal, next, width);
    }
    foot(&mut text, rehearsal, width);
    text
}

fn head(text: &mut String, rehearsal: &Rehearsal, width: usize) {
    let what = rehearsal.fails.join(" and ");
    let verdict = if rehearsal.holds {
        paint(CREATE.bold(), "The load holds")
    } else {
        paint(DELETE.bold(), "The load does not hold")
    };
    let _ = writeln!(text, "{verdict} without {}.\n", paint(BOLD, what));
    if rehearsal.pending > 0 {
        let pending = rehearsal.pending;
        let (noun, verb) = if pending == 1 {
            ("change", "is")
        } else {
            ("changes", "are")
        };
        let line = format!(
            "{pending} {noun} {verb} due already, before any loss; the next apply does them, too."
        );
        note(text, &line, width);
    }
    if !rehearsal.unseen.is_empty() {
        let sites: Vec<&str> = rehearsal.unseen.iter().map(Name::as_str).collect();
        let line = format!(
            "Not seen whole, and so unreachable here too: {}.",
            sites.join(", ")
        );
        note(text, &line, width);
    }
}

fn note(text: &mut String, line: &str, width: usize) {
    for line in words(line, width) {
        let _ = writeln!(text, "{}", paint(UPDATE, line));
    }
    text.push('\n');
}

fn down(text: &mut String, rehearsal: &Rehearsal, width: usize) {
    if rehearsal.down.is_empty() {
        let _ = writeln!(text, "Nothing of this topology is there.\n");
        return;
    }
    let _ = writeln!(text, "{}\n", paint(BOLD, "Goes down:"));
    let things: Vec<String> = rehearsal
        .down
        .iter()
        .map(|down| match down.count {
            1 => down.addr.to_string(),
            count => format!("{count} of {}", down.addr),
        })
        .collect();
    for line in wrap(&things, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
}

/// Machines and fleets that fall short or have lost something, each in its line.
fn loads(text: &mut String, loads: &[Load]) {
    let is_told = |load: &&Load| !load.holds || load.left < load.before;
    let told: Vec<&Load> = loads.iter().filter(is_told).collect();
    let names: Vec<String> = told.iter().map(|load| load.addr.to_string()).collect();
    let column = names.iter().map(String::len).max().unwrap_or(0);
    for (load, name) in told.iter().zip(&names) {
        let (sign, verdict) = if load.holds {
            (paint(CREATE, "+"), "enough".to_owned())
        } else {
            let short = load.wanted - load.left;
            (paint(DELETE, "!"), format!("{short} too few"))
        };
        let promise = match (load.survive, load.holds) {
            (true, false) => ", though any one loss is to be survived",
            _ => "",
        };
        let _ = writeln!(
            text,
            "  {sign} {}  {} of {} wanted, {} before: {verdict}{promise}",
            pad(name, column),
            load.left,
            load.wanted,
            load.before,
        );
    }
    let whole = loads.len() - told.len();
    if whole > 0 {
        let what = match (told.is_empty(), whole) {
            (true, _) => "every machine and fleet is as before".to_owned(),
            (false, 1) => "1 other is as before".to_owned(),
            (false, whole) => format!("{whole} others are as before"),
        };
        let _ = writeln!(text, "    {}", paint(DIM, what));
    }
    text.push('\n');
}

fn apply(text: &mut String, rehearsal: &Rehearsal, next: &NextApply, width: usize) {
    let _ = writeln!(
        text,
        "{} {}\n",
        paint(BOLD, "Then:"),
        paint(BOLD, &next.command)
    );
    if let Some(why) = &next.refused {
        item(text, &paint(DELETE, "x"), &format!("refused: {why}"), width);
        text.push('\n');
        return;
    }
    for change in &next.changes {
        let PlannedChange {
            addr,
            action,
            count,
            reason,
        } = change;
        let line = format!("{} {count} {addr}: {reason}", action.as_str());
        item(text, &paint(UPDATE, "~"), &line, width);
    }
    if next.changes.is_empty() {
        item(text, " ", "changes nothing", width);
    }
    for withheld in &next.withheld {
        let line = format!("{}: {}", withheld.what, why(withheld));
        item(text, &paint(UPDATE, "?"), &line, width);
    }
    for went in &next.placed_elsewhere {
        item(text, &paint(UPDATE, ">"), went, width);
    }
    for failed in &next.failed {
        item(text, &paint(DELETE, "x"), failed, width);
    }
    let took = duration(Duration::from_millis(next.took_ms));
    let end = match (next.ends_well, next.holds) {
        (true, true) => paint(CREATE, "ends well; the load holds"),
        (true, false) => paint(DELETE, "ends well, but the load does not hold"),
        (false, true) => paint(UPDATE, "does not end well, but the load holds"),
        (false, false) => paint(DELETE, "does not end well, and the load does not hold"),
    };
    let _ = writeln!(text, "\n  It takes {took}, {end}.");
    if rehearsal.monthly_before.is_some() || next.monthly_after.is_some() {
        let amount = |amount: Option<Decimal>| match amount {
            Some(amount) => format!("{:.2}", amount.round_dp(2)),
            None => "unknown".to_owned(),
        };
        let _ = writeln!(
            text,
            "  Machines that are seen then cost {} {} a month; {} before the loss.",
            amount(next.monthly_after),
            rehearsal.currency,
            amount(rehearsal.monthly_before),
        );
    }
    text.push('\n');
    if !next.holds || next.loads.iter().any(|load| load.left < load.before) {
        loads(text, &next.loads);
    }
}

/// A line with a sign before it.
fn item(text: &mut String, sign: &str, line: &str, width: usize) {
    for (number, line) in words(line, width.saturating_sub(4)).iter().enumerate() {
        let sign = if number == 0 { sign } else { " " };
        let _ = writeln!(text, "  {sign} {line}");
    }
}

fn foot(text: &mut String, rehearsal: &Rehearsal, width: usize) {
    let assumed = rehearsal.timing.iter().filter(|(_, timing)| timing.assumed);
    let sites: Vec<&str> = assumed.clone().map(|(site, _)| site.as_str()).collect();
    if let Some((_, timing)) = assumed.clone().next() {
        let line = format!(
            "Times are assumed at {}: a call in {}, a machine in {}, gone in {}.",
            sites.join(", "),
            duration(Duration::from_millis(timing.call_ms)),
            duration(Duration::from_millis(timing.create_ms)),
            duration(Duration::from_millis(timing.delete_ms)),
        );
        for line in words(&line, width) {
            let _ = writeln!(text, "{}", paint(DIM, line));
        }
    }
    let _ = writeln!(text, "{}", paint(DIM, "Nothing real was changed."));
}
