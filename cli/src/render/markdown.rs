//! A plan as Markdown, for the comment of a pull request.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstream::adapter::strip_str;
use stratiform::model::Name;
use stratiform::planner::{Action, Change, Plan};
use stratiform::policy::{Ruling, Verdict};

use super::fold::{Detail, fold};
use super::{change, cost};

/// The most characters of a comment; GitHub takes 65,536, GitLab more.
/// <https://github.com/orgs/community/discussions/41331>
const COMMENT_MAX: usize = 60_000;

/// The columns of a comment's code blocks.
const WIDTH: usize = 100;

/// The plan, with a part for each site that opens when it is clicked. What is too long for one comment
/// is left out, and it says so.
pub(crate) fn plan(plan: &Plan, detail: Detail) -> String {
    let changes: Vec<&Change> = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .collect();
    let mut text = head(plan, &changes);
    let mut by_site: BTreeMap<&Name, Vec<&Change>> = BTreeMap::new();
    for change in &changes {
        by_site.entry(&change.site).or_default().push(change);
    }
    let remarks = remarks(plan);
    let room = COMMENT_MAX.saturating_sub(remarks.len() + 500);
    let mut left_out = Vec::new();
    for (site, changes) in by_site {
        let part = site_part(site, &changes, detail);
        if text.len() + part.len() > room {
            left_out.push(site.as_str());
        } else {
            text.push_str(&part);
        }
    }
    if !left_out.is_empty() {
        let sites = left_out.join("`, `");
        let _ = writeln!(
            text,
            "The changes at `{sites}` are too many for one comment; `strat plan` shows them.\n"
        );
    }
    text.push_str(&remarks);
    text
}

/// What the plan changes of the outputs.
pub(crate) fn outputs(changes: &[stratiform::OutputChange]) -> String {
    let text = super::outputs::planned(changes, WIDTH);
    let text = strip_str(text.trim_start_matches('\n')).to_string();
    match text.is_empty() {
        true => text,
        false => format!("{}\n", fenced("text", &text)),
    }
}

/// What policies said of the plan.
pub(crate) fn policy(said: &[Verdict]) -> String {
    if said.is_empty() {
        return String::new();
    }
    let mut text = String::from("#### Policies\n\n");
    for one in said {
        let head = match one.ruling {
            Ruling::Deny => "Denied",
            Ruling::Warn => "Warning",
        };
        let message = one.message.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "- **{head}** (`{}`): {message}", one.rule);
    }
    text.push('\n');
    text
}

fn head(plan: &Plan, changes: &[&Change]) -> String {
    let topology = plan.topology.named();
    let mut text = format!("### Plan of `{topology}`\n\n");
    let mut counts: BTreeMap<Action, u32> = BTreeMap::new();
    for change in changes {
        *counts.entry(change.action).or_default() += change.count;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(action, count)| format!("**{count}** to {}", action.as_str()))
        .collect();
    match counts.is_empty() {
        true => text.push_str("No changes.\n\n"),
        false => {
            let _ = writeln!(text, "{}.\n", counts.join(", "));
        }
    }
    if let Some(cost) = cost::cost(&plan.cost) {
        let _ = writeln!(text, "{}", fenced("text", &strip_str(&cost).to_string()));
    }
    text
}

fn site_part(site: &Name, changes: &[&Change], detail: Detail) -> String {
    let (shown, more) = fold(changes, detail.of(changes.len()));
    let lines = change::changes(&shown, &BTreeMap::new(), WIDTH);
    let lines = strip_str(&lines).to_string();
    let mut body: String = lines.lines().map(|line| diff_line(line) + "\n").collect();
    body.push_str(&strip_str(&more).to_string());
    let things: u32 = changes.iter().map(|change| change.count).sum();
    let noun = if things == 1 { "thing" } else { "things" };
    format!(
        "<details><summary>{site}: {things} {noun}</summary>\n\n{}\n</details>\n\n",
        fenced("diff", &body)
    )
}

/// A line with the sign that a `diff` block is coloured by in its first column.
fn diff_line(line: &str) -> String {
    let bare = line.trim_start();
    let indent = line.len() - bare.len();
    // What belongs to a change stands further in than its sign.
    let sign = match bare.split(' ').next() {
        _ if indent > 4 => " ",
        Some("+") => "+",
        Some("-") => "-",
        Some("~" | "-/+") => "!",
        Some("&" | ".") => "#",
        _ => " ",
    };
    match (sign, bare.strip_prefix(sign)) {
        (" ", _) => format!(" {line}"),
        (_, Some(rest)) => format!("{sign}{rest}"),
        (_, None) => format!("{sign} {bare}"),
    }
}

/// What stands below the changes: what is withheld, refused, protected, what data goes.
fn remarks(plan: &Plan) -> String {
    let text = super::plan::remarks(plan, WIDTH);
    let text = strip_str(&text).to_string();
    match text.trim() {
        "" => String::new(),
        text => fenced("text", text),
    }
}

/// A code block whose fence is longer than any in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_stands_in_the_first_column() {
        for (line, expect) in [
            ("  + machine.db", "+ machine.db"),
            ("  - machine.db", "- machine.db"),
            ("  ~ machine.db", "! ~ machine.db"),
            ("-/+ machine.db", "! -/+ machine.db"),
            ("        + a", "         + a"),
        ] {
            assert_eq!(diff_line(line), expect);
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_is_in_it() {
        assert_eq!(fenced("text", "a"), "```text\na\n```\n");
        assert_eq!(fenced("", "a ```` b"), "`````\na ```` b\n`````\n");
    }
}
