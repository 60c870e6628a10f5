//! A plan, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stratiform::MissingLeaseStore;
use stratiform::model::Name;
use stratiform::planner::{Action, Cause, Change, GoesFirst, Mode, Plan, Summary};

use super::fold::{Detail, fold};
use super::left::{refused, withheld};
use super::style::{BOLD, CREATE, DELETE, DIM, NOTE, UPDATE, paint};
use super::wrap::{count, words};
use super::{change, cost, left};

/// The whole plan, in lines of at most `width` columns where words allow.
pub(crate) fn plan(plan: &Plan, detail: Detail, width: usize) -> String {
    let mut text = String::new();
    let (drift, wanted): (Vec<&Change>, Vec<&Change>) = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .partition(|change| change.cause == Cause::Drift && plan.mode == Mode::Apply);
    let detail = detail.of(drift.len() + wanted.len());
    if !drift.is_empty() {
        heading(
            &mut text,
            "Changed behind Stratiform's back; apply puts it right:",
        );
        sites(&mut text, &drift, detail, width);
        if !wanted.is_empty() {
            heading(&mut text, "Changes:");
        }
    }
    sites(&mut text, &wanted, detail, width);
    folded(&mut text, detail, width);
    text.push_str(&remarks(plan, width));
    foot(&mut text, plan);
    text
}

/// What stands below the changes.
pub(super) fn remarks(plan: &Plan, width: usize) -> String {
    let mut text = String::new();
    left::lookups(&mut text, plan);
    tight(&mut text, plan, width);
    rollouts(&mut text, plan, width);
    held(&mut text, plan);
    avoided(&mut text, plan, width);
    withheld(&mut text, plan, width);
    refused(&mut text, plan, width);
    protected(&mut text, plan);
    data_loss(&mut text, plan, width);
    renames(&mut text, plan, width);
    guard(&mut text, plan, width);
    text
}

pub(super) fn heading(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}\n", paint(BOLD, line));
}

/// The changes, site by site.
fn sites(text: &mut String, changes: &[&Change], detail: Detail, width: usize) {
    let said: BTreeMap<Action, &str> = [Action::Create, Action::Delete]
        .into_iter()
        .filter_map(|action| Some((action, shared_reason(changes, action)?)))
        .collect();
    for (action, reason) in &said {
        let verb = if *action == Action::Create {
            "Created"
        } else {
            "Deleted"
        };
        let line = format!("{verb}, where nothing else is said: {reason}.");
        let _ = writeln!(text, "{}\n", paint(DIM, line));
    }
    let mut by_site: BTreeMap<&Name, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        by_site.entry(&change.site).or_default().push(change);
    }
    for (site, changes) in by_site {
        let _ = writeln!(
            text,
            "{}  {}",
            paint(BOLD, site),
            paint(DIM, tally(&changes))
        );
        let (shown, more) = fold(&changes, detail);
        text.push_str(&change::changes(&shown, &said, width));
        text.push_str(&more);
        text.push('\n');
    }
}

/// How to see what is not shown.
fn folded(text: &mut String, detail: Detail, width: usize) {
    if detail == Detail::All {
        return;
    }
    let line = "Only the first of each kind are shown: --all shows every change, and --json has \
                all of each.";
    for line in words(line, width) {
        let _ = writeln!(text, "{}", paint(DIM, line));
    }
    text.push('\n');
}

/// The reason that most changes of an action have, if several have it: then it is said once.
fn shared_reason<'a>(changes: &[&'a Change], action: Action) -> Option<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.action == action) {
        *counts.entry(&change.reason).or_default() += 1;
    }
    let (reason, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count > 1).then_some(reason)
}

/// `15 to create, 1 to update`.
fn tally(changes: &[&Change]) -> String {
    let mut counts: BTreeMap<Action, u32> = BTreeMap::new();
    for change in changes {
        *counts.entry(change.action).or_default() += change.count;
    }
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(action, count)| format!("{count} to {}", action.as_str()))
        .collect();
    counts.join(", ")
}

fn tight(text: &mut String, plan: &Plan, width: usize) {
    let sites: Vec<String> = plan.tight.iter().map(Name::to_string).collect();
    let crowded = plan.crowded.iter();
    let crowded = crowded.filter(|(_, first)| **first == GoesFirst::All);
    let subnets: Vec<String> = crowded.map(|(subnet, _)| subnet.to_string()).collect();
    for (what, places) in [("room", sites), ("address", subnets)] {
        if places.is_empty() {
            continue;
        }
        let line = format!(
            "No {what} for old and new at once at {}: there, what goes is deleted first.",
            places.join(", ")
        );
        for line in words(&line, width) {
            let _ = writeln!(text, "{}", paint(UPDATE, line));
        }
        text.push('\n');
    }
}

/// In which waves machines give way to others, where there is more than one of them.
fn rollouts(text: &mut String, plan: &Plan, width: usize) {
    let mut some = false;
    for (local, rollout) in &plan.rollouts {
        let count = |actions: [Action; 2]| -> u32 {
            let changes = plan.changes.iter().filter(|c| c.addr.local == *local);
            let those = changes.filter(|change| actions.contains(&change.action));
            those.map(|change| change.count).sum()
        };
        let goes = count([Action::Delete, Action::Replace]);
        let comes = count([Action::Create, Action::Replace]);
        // What only shrinks, or only grows, gives way to nobody.
        if goes == 0 || comes == 0 || (goes < 2 && rollout.health.is_none()) {
            continue;
        }
        let wave = rollout.wave.min(goes);
        let order = if rollout.destroy_first {
            "old ones first, since there is no room for both"
        } else {
            "new ones first"
        };
        let mut line = format!("{local} gives way in waves of {wave}, {order}");
        if let Some(health) = &rollout.health {
            let path = health.path.as_deref().unwrap_or_default();
            let _ = write!(line, "; each must answer at port {}{path}", health.port);
        }
        for line in words(&format!("{line}."), width) {
            let _ = writeln!(text, "{line}");
        }
        some = true;
    }
    if some {
        text.push('\n');
    }
}

/// What was out of stock lately, and until when it is not tried.
fn avoided(text: &mut String, plan: &Plan, width: usize) {
    if plan.avoided.is_empty() {
        return;
    }
    heading(
        text,
        "Passed over; --ignore-stock-outs tries it all the same:",
    );
    for entry in &plan.avoided {
        let (seen, until) = (entry.seen, entry.until);
        let line = format!("{entry} at {seen:.0}; not tried until {until:.0}");
        let mut lines = words(&line, width.saturating_sub(4)).into_iter();
        if let Some(first) = lines.next() {
            let _ = writeln!(text, "  {} {first}", paint(UPDATE, "~"));
        }
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    text.push('\n');
}

/// Fleets whose count is not the topology's to say.
fn held(text: &mut String, plan: &Plan) {
    if plan.held.is_empty() {
        return;
    }
    heading(text, "Counts that bursts hold:");
    for (fleet, held) in &plan.held {
        let _ = writeln!(
            text,
            "  {fleet}: {} of {} to {}, count held by burst.{}",
            held.count, held.least, held.most, held.by
        );
    }
    text.push('\n');
}

fn protected(text: &mut String, plan: &Plan) {
    let protected: Vec<_> = plan.protected().collect();
    if protected.is_empty() {
        return;
    }
    heading(text, "Protected; the plan cannot be applied as it is:");
    for change in protected {
        let verb = match change.action {
            Action::Replace => "would be replaced",
            _ => "would be deleted",
        };
        let _ = writeln!(text, "  {} {} {verb}", paint(DELETE, "!"), change.addr);
    }
    let _ = writeln!(
        text,
        "\n  To lift it: set `protect = false` on the block and apply; then do this again.\n"
    );
}

/// How many losses of data are listed; each is marked in its row, too.
const LOSSES_MAX: usize = 20;

/// Whose data is lost, and what applying the plan takes.
fn data_loss(text: &mut String, plan: &Plan, width: usize) {
    if plan.data_loss.is_empty() {
        return;
    }
    heading(text, "Data is lost for good; it goes only by name:");
    for loss in plan.data_loss.iter().take(LOSSES_MAX) {
        let id = paint(DIM, format!("({})", loss.id));
        let _ = writeln!(text, "  {} {} {id}", paint(DELETE, "!"), loss.addr);
    }
    match plan.data_loss.len().saturating_sub(LOSSES_MAX) {
        0 => {}
        more => {
            let _ = writeln!(text, "  {}", paint(DIM, format!("and {more} more")));
        }
    }
    let line = match plan.mode {
        Mode::Destroy => format!(
            "To agree: type the topology's name, or add --allow-data-loss {}; of a part of it, \
             --allow-data-loss ADDR for each.",
            plan.topology.topology
        ),
        Mode::Apply => "To agree: add --allow-data-loss ADDR for each.".to_owned(),
    };
    text.push('\n');
    for line in words(&line, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
}

/// How many blocks of renames are written out.
const RENAMES_MAX: usize = 8;

/// What goes and may only have been renamed, and the block that says so.
fn renames(text: &mut String, plan: &Plan, width: usize) {
    let Some(first) = plan.renames.first() else {
        return;
    };
    heading(
        text,
        "Was it renamed? Something goes, and something like it comes:",
    );
    let ask = match plan.renames.len() {
        1 => format!(
            "If {} is {} under a new name, put this into the topology; it stays then:",
            first.to, first.from
        ),
        count => format!(
            "If {count} things only have new names, put this into the topology, and see that each is \
             the right one; they stay then:"
        ),
    };
    for line in words(&ask, width.saturating_sub(2)) {
        let _ = writeln!(text, "  {line}");
    }
    let from = plan.renames.iter().take(RENAMES_MAX);
    for rename in from {
        let (from, to) = (&rename.from, &rename.to);
        let _ = writeln!(
            text,
            "\n    moved {{\n      from = {from}\n      to   = {to}\n    }}"
        );
    }
    match plan.renames.len().saturating_sub(RENAMES_MAX) {
        0 => {}
        more => {
            let _ = writeln!(text, "  {}", paint(DIM, format!("and {more} more")));
        }
    }
    text.push('\n');
}

fn guard(text: &mut String, plan: &Plan, width: usize) {
    let Some(guard) = &plan.guard else {
        return;
    };
    let line = format!(
        "This deletes {} of the {} things that the topology has; applying it takes \
         --allow-deletes.",
        guard.deletes, guard.existing
    );
    for line in words(&line, width) {
        let _ = writeln!(text, "{}", paint(DELETE, line));
    }
    text.push('\n');
}

fn foot(text: &mut String, plan: &Plan) {
    if plan.is_empty() {
        let matching = plan.summary.no_op as usize;
        let line = match plan.mode {
            _ if !plan.withheld.is_empty() || !plan.refused.is_empty() => format!(
                "No changes as far as can be seen; {} {}.",
                count(matching, "resource"),
                if matching == 1 { "matches" } else { "match" },
            ),
            Mode::Apply => format!(
                "No changes. {} {} the topology.",
                count(matching, "resource"),
                if matching == 1 { "matches" } else { "match" },
            ),
            Mode::Destroy => "Nothing to destroy.".to_owned(),
        };
        let _ = writeln!(text, "{}", paint(BOLD, line));
        return;
    }
    if let Some(cost) = cost::cost(&plan.cost) {
        text.push_str(&cost);
    }
    let _ = writeln!(text, "{} {}", paint(BOLD, "Plan:"), summary(&plan.summary));
}

/// What the apply makes besides, once, for leases to be kept in: each with where it is needed.
pub(crate) fn lease_stores(missing: &[MissingLeaseStore]) -> String {
    let mut text = String::from("Made besides, once, to keep leases in:\n");
    for MissingLeaseStore { place, what } in missing {
        text.push_str(&format!("  {} {what}, for {place}\n", paint(CREATE, "+")));
    }
    text
}

/// `30 to create, 0 to update, 0 to replace, 0 to delete, 0 unchanged.`
pub(crate) fn summary(summary: &Summary) -> String {
    let mut parts = vec![
        format!("{} to create", summary.create),
        format!("{} to update", summary.update),
        format!("{} to replace", summary.replace),
        format!("{} to delete", summary.delete),
    ];
    if summary.adopt > 0 {
        parts.push(paint(NOTE, format!("{} to adopt", summary.adopt)));
    }
    if summary.forget > 0 {
        parts.push(paint(NOTE, format!("{} to forget", summary.forget)));
    }
    if summary.no_op > 0 {
        parts.push(format!("{} unchanged", summary.no_op));
    }
    format!("{}.", parts.join(", "))
}

/// Only what was changed behind Stratiform's back; `others` is how many changes come from the
/// topology.
pub(crate) fn drift(plan: &Plan, others: usize, detail: Detail, width: usize) -> String {
    let mut text = String::new();
    let changes: Vec<&Change> = plan.changes.iter().collect();
    if changes.is_empty() && plan.refused.is_empty() {
        let _ = writeln!(text, "{}", paint(BOLD, "No drift."));
    } else if !changes.is_empty() {
        heading(
            &mut text,
            "Changed behind Stratiform's back; apply puts it right:",
        );
        let detail = detail.of(changes.len());
        sites(&mut text, &changes, detail, width);
        folded(&mut text, detail, width);
    }
    withheld(&mut text, plan, width);
    refused(&mut text, plan, width);
    protected(&mut text, plan);
    if !changes.is_empty() {
        let _ = writeln!(text, "{} {}", paint(BOLD, "Drift:"), summary(&plan.summary));
    }
    if others > 0 {
        let line = format!(
            "Besides, {} from the topology: `strat plan` shows all.",
            if others == 1 {
                "1 change comes".to_owned()
            } else {
                format!("{others} changes come")
            }
        );
        let _ = writeln!(text, "{}", paint(DIM, line));
    }
    text
}
