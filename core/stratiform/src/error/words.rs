//! What sentences of errors say of several things.

use std::collections::BTreeMap;

use strat_model::{Addr, Diagnostic, Name, Severity};
use strat_planner::{Action, DataLoss, Unplaced};

pub(super) fn first(diagnostics: &[Diagnostic]) -> String {
    let mut errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    let first = errors.next().map_or("", |error| error.message.as_str());
    match errors.count() {
        0 => first.to_owned(),
        more => format!("{first}, and {more} more"),
    }
}

pub(super) fn no_place(unplaced: &[Unplaced]) -> String {
    let first = unplaced.first();
    let first = first.map_or("nothing finds a place", |one| one.finding.message.as_str());
    match unplaced.len().saturating_sub(1) {
        0 => first.to_owned(),
        more => format!("{first}, and {more} more find none"),
    }
}

/// Why not at each site; of several things, with the name of each.
pub(super) fn refusals(unplaced: &[Unplaced]) -> Vec<String> {
    let named = |one: &Unplaced, text: String| match unplaced.len() {
        1 => text,
        _ => format!("{}: {text}", one.addr),
    };
    let told = unplaced.iter().flat_map(|one| {
        let sites = one
            .sites
            .iter()
            .map(|refusal| named(one, refusal.to_string()));
        sites.collect::<Vec<_>>()
    });
    told.take(TOLD_MAX * 2).collect()
}

/// Of how many things one sentence tells.
const TOLD_MAX: usize = 5;

pub(super) fn some(things: &[String]) -> String {
    let told = things.get(..TOLD_MAX).unwrap_or(things).join("; ");
    match things.len().saturating_sub(TOLD_MAX) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

pub(super) fn list(addrs: &[Addr]) -> String {
    let addrs: Vec<String> = addrs.iter().map(ToString::to_string).collect();
    addrs.join(", ")
}

/// `volume.db@dc1 (vol-1) is deleted`, of the first few.
pub(super) fn lost(losses: &[DataLoss]) -> String {
    let one = |loss: &DataLoss| {
        let verb = match loss.action {
            Action::Replace => "is made anew and empty",
            _ => "is deleted",
        };
        format!("{} ({}) {verb}", loss.addr, loss.id)
    };
    let all: Vec<String> = losses.iter().map(one).collect();
    some(&all)
}

/// `` `west` (7) and `east` (2), which it does not have ``.
pub(super) fn unlisted(sites: &BTreeMap<Name, usize>) -> String {
    let sites = sites
        .iter()
        .map(|(site, count)| format!("`{site}` ({count})"));
    let sites: Vec<String> = sites.collect();
    let verb = if sites.len() == 1 { "a site" } else { "sites" };
    format!("{}, {verb} that it does not have", sites.join(" and "))
}

/// `` `volume "db"` and `bucket "assets"` ``: the blocks behind addresses.
pub(super) fn blocks(addrs: &[Addr]) -> String {
    let mut blocks: Vec<String> = addrs
        .iter()
        .map(|addr| format!("`{} \"{}\"`", addr.local.noun.as_str(), addr.local.name))
        .collect();
    blocks.sort();
    blocks.dedup();
    blocks.join(" and ")
}
