//! What simulations of a burst came to.

use std::fmt::Write as _;

use strat_burst::simulate::{Outcome, Report};

use super::style::{BOLD, paint};
use super::table::table;

/// The runs beside each other, and what is not in the table of the user's own.
pub(crate) fn simulation(report: &Report, width: Option<usize>) -> String {
    let trace = &report.trace;
    let mut text = format!(
        "{} {} to {}, a decision every {} s\n\n",
        paint(BOLD, "Simulated"),
        trace.from,
        trace.to,
        trace.step_s
    );
    let headings = [
        "policy",
        "violated",
        "longest",
        "cost",
        "of oracle",
        "changes/day",
        "reversals",
        "machine hours",
    ];
    text.push_str(&table(&headings, report.results.iter().map(row), width));
    if let Some(yours) = report.results.first() {
        more(&mut text, yours);
    }
    text
}

fn row(outcome: &Outcome) -> Vec<String> {
    let name = match outcome.policy {
        "all_cloud" => "all cloud",
        "all_owned" => "all owned",
        name => name,
    };
    let hours = outcome.machine_hours.iter();
    let hours: Vec<String> = hours.map(|(site, h)| format!("{site} {h:.0}")).collect();
    vec![
        name.to_owned(),
        format!("{:.0} min", outcome.violation_min),
        format!("{:.0} min", outcome.longest_min),
        format!("{:.2} USD", outcome.usd),
        outcome
            .usd_over_oracle
            .map_or_else(|| "-".to_owned(), |over| format!("{over:.2}")),
        format!("{:.1}", outcome.changes_per_day),
        outcome.reversals.to_string(),
        hours.join(", "),
    ]
}

/// What is worth a line only where there is any of it.
fn more(text: &mut String, yours: &Outcome) {
    if yours.unmet_machine_min > 0.0 {
        let _ = write!(
            text,
            "\nIn violation, {:.0} machine-minutes were missing.",
            yours.unmet_machine_min
        );
    }
    if let Some(wait) = yours.wait_p99_ms {
        let _ = write!(text, "\n99 % of arrivals waited at most {wait:.0} ms.");
    }
    if yours.batch_lost_machine_min > 0.0 {
        let _ = write!(
            text,
            "\nBatch machines lost {:.0} machine-minutes of work when they gave way.",
            yours.batch_lost_machine_min
        );
    }
    if yours.budget_breaches > 0 {
        let _ = write!(
            text,
            "\n{} machines were made past a budget.",
            yours.budget_breaches
        );
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
}
