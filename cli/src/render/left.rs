//! What a plan leaves as it is, and why.

use std::fmt::Write as _;

use stratiform::planner::{Cause, FieldChange, Plan, Way, Withheld};
use stratiform::{Target, quoted};

use super::change::differences;
use super::plan::heading;
use super::style::{DELETE, DIM, UPDATE, paint};
use super::wrap::words;

/// What others own and the plan refers to; of a plan that does nothing, nothing.
pub(super) fn lookups(text: &mut String, plan: &Plan) {
    if plan.lookups.is_empty() || plan.is_empty() {
        return;
    }
    heading(text, "Looked up, and never written to:");
    for one in &plan.lookups {
        let range = one.cidr.as_ref().map(|range| format!(" {range}"));
        let about = format!("({}{})", one.name, range.unwrap_or_default());
        let _ = writeln!(text, "  {} is {} {}", one.addr, one.id, paint(DIM, about));
    }
    text.push('\n');
}

/// What was not seen well enough to say anything.
pub(super) fn withheld(text: &mut String, plan: &Plan, width: usize) {
    if plan.withheld.is_empty() {
        return;
    }
    heading(text, "Left as it is, because too little is known:");
    for item in &plan.withheld {
        let _ = writeln!(text, "  {} {}", paint(UPDATE, "?"), item.what);
        for line in words(&why(item), width.saturating_sub(6)) {
            let _ = writeln!(text, "      {}", paint(DIM, line));
        }
    }
    text.push('\n');
}

/// Why something is left, and the option for what else may be said of it.
pub(crate) fn why(item: &Withheld) -> String {
    let why = &item.why;
    match &item.way {
        None => why.clone(),
        Some(Way::Recreate(addr)) => format!("{why}: `--recreate {}`", quoted(addr)),
        Some(Way::ForgetSite(site)) => format!("{why}: `--forget-site site.{site}`"),
    }
}

/// What cannot be made as the topology says, and what to write for it.
pub(super) fn refused(text: &mut String, plan: &Plan, width: usize) {
    if plan.refused.is_empty() {
        return;
    }
    heading(
        text,
        "Cannot be made as the topology says, and stays as it is:",
    );
    for one in &plan.refused {
        let _ = writeln!(text, "  {} {} ({})", paint(DELETE, "!"), one.addr, one.id);
        let cause = match one.cause {
            Cause::Drift => "it was changed behind Stratiform's back, and ",
            _ => "",
        };
        let keep: Vec<_> = one.fields.iter().map(keeping).collect();
        let why = format!(
            "{cause}{}; to keep what is there, write {}",
            one.why,
            keep.join(" and ")
        );
        for line in words(&why, width.saturating_sub(6)) {
            let _ = writeln!(text, "      {line}");
        }
        differences(text, &one.fields);
    }
    text.push('\n');
}

/// `size = "40GiB"`: the attribute that says what is there.
fn keeping(change: &FieldChange) -> String {
    let value = match &change.before {
        serde_json::Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    format!("`{} = {value}`", change.field)
}

/// That a plan is of parts, and of which.
pub(crate) fn part(targets: &[Target]) -> String {
    if targets.is_empty() {
        return String::new();
    }
    let names: Vec<_> = targets.iter().map(ToString::to_string).collect();
    let line = format!(
        "Only {} and what it needs; nothing else was compared.",
        names.join(", ")
    );
    format!("{}\n", paint(DIM, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_else_may_be_said_is_an_option() {
        let addr = "volume.old[\"a\"]@dc1".parse().expect("an address");
        let site = "gone".parse().expect("a name");
        for (way, option) in [
            (None, "why"),
            (
                Some(Way::Recreate(addr)),
                "why: `--recreate 'volume.old[\"a\"]@dc1'`",
            ),
            (
                Some(Way::ForgetSite(site)),
                "why: `--forget-site site.gone`",
            ),
        ] {
            let (what, reason) = ("what".to_owned(), "why".to_owned());
            let item = Withheld {
                what,
                why: reason,
                way,
            };
            assert_eq!(why(&item), option);
        }
    }
}
