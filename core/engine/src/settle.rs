//! Closing what an interrupted run left open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use strat_model::{
    Addr, Error, ErrorKind, Kind, Mark, MarkOrigin, Name, Owner, Resource, ResourceId,
    ResourceState, Result, Token, Witness,
};
use strat_provider::{Clock, Filter, Provider, ProviderExt as _};

use crate::{
    CallFailure, Event, EventSink, Journal, JournalError, Operation, Pending, Problem, Sites,
};

/// The longest that a call with all its repetitions takes: what began longer ago is over.
const CALL_MAX: Duration = Duration::from_secs(3600);

/// What [`settle`] did.
#[derive(Debug, Clone, Default)]
pub struct SettleReport {
    /// What was closed.
    pub settled: Vec<SettledEntry>,
    /// What stays open because its site gave no answer, or is no site of the topology any more.
    pub problems: Vec<Problem>,
}

/// A call that is not open any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledEntry {
    /// What it was about.
    pub addr: Addr,
    /// The site.
    pub site: Name,
    /// What it was to do.
    pub operation: Operation,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A create made these.
    Made(Vec<ResourceId>),
    /// A create made nothing.
    MadeNothing,
    /// A delete took these, which are not there any more.
    Deleted(Vec<ResourceId>),
    /// A change or delete: the next plan sees what came of it.
    Closed,
}

/// Closes what an interrupted run left open. Runs before observing, and with the lease held.
///
/// # Expected flow
///
/// - An open create may have happened or not. Its things have names that follow from its token, or
///   from the address and generation, so they are looked for by name: first among what carries our
///   mark, and, once a list cannot lag any more, among everything. What is found is recorded as
///   made, and [`observe`](crate::observe) then reads it by id even if it has lost its mark.
/// - What an open delete was about is read by id: what is not there any more was deleted by us, and
///   by nobody behind our back.
/// - An open change is only closed: it converges, and the next plan sees what is left to do.
///
/// # Guarantees
///
/// - It reads, and writes the journal. It never repeats a create, although the same token would
///   make that harmless: the plan that the call was part of may be gone, and with it the user data
///   that the call needs. The next plan makes what is missing, with a token of its own, after it is
///   known that the old call made nothing.
/// - So whatever the moment of the crash: what was made is seen by the next plan (no duplicate) and
///   carries a mark from the same call that made it (no orphan).
///
/// # Caveats
///
/// - It waits for the site's consistency window when something was open and is not found at once;
///   counted from now, since the last call may have been made a moment ago.
///
/// # Errors
/// If the journal cannot be written. A site that gives no answer is a problem in the report, and
/// its entries stay open.
pub async fn settle(
    sites: &Sites,
    owner: &Owner,
    journal: &Journal,
    clock: &dyn Clock,
    events: &EventSink,
) -> Result<SettleReport, JournalError> {
    let mut groups: BTreeMap<(Name, Kind), Vec<Pending>> = BTreeMap::new();
    let mut verdicts = Vec::new();
    for pending in journal.pending() {
        if !owner.owns(&pending.started.owner) {
            continue;
        }
        match pending.started.operation {
            Operation::Create => {
                let key = (pending.started.site.clone(), pending.started.kind);
                groups.entry(key).or_default().push(pending);
            }
            Operation::Delete => {
                let verdict = deleted(sites, &pending).await;
                verdicts.push((pending, verdict));
            }
            _ => verdicts.push((pending, Verdict::Closed)),
        }
    }
    let mut report = SettleReport::default();
    let searches = groups.into_iter().map(|((site, kind), group)| async move {
        let found = search(sites, owner, clock, &site, kind, &group).await;
        (site, kind, group, found)
    });
    for (site, kind, group, found) in join_all(searches).await {
        match found {
            Ok(found) => verdicts.extend(judge(group, &found)),
            Err(error) => report.problems.push(Problem {
                site,
                kind: Some(kind),
                error: Arc::new(error),
            }),
        }
    }
    verdicts.sort_by_key(|(pending, _)| pending.entry);
    for (pending, verdict) in verdicts {
        close(journal, clock.now(), &pending, &verdict).await?;
        report.settled.push(tell(events, pending, verdict));
    }
    Ok(report)
}

/// What came of a delete. Where that cannot be read, the next plan sees it.
async fn deleted(sites: &Sites, pending: &Pending) -> Verdict {
    let started = &pending.started;
    let Some(provider) = sites.get(&started.site) else {
        return Verdict::Closed;
    };
    let Ok(found) = provider.get_all(started.kind, &started.ids).await else {
        return Verdict::Closed;
    };
    let stays = |id: &ResourceId| {
        let mut found = found.iter();
        found.any(|one| one.id == *id && one.state != ResourceState::Deleting)
    };
    let gone = started.ids.iter().filter(|id| !stays(id));
    match gone.cloned().collect::<Vec<_>>() {
        gone if gone.is_empty() => Verdict::Closed,
        gone => Verdict::Deleted(gone),
    }
}

/// What there is of the names that these creates would have given.
async fn search(
    sites: &Sites,
    owner: &Owner,
    clock: &dyn Clock,
    site: &Name,
    kind: Kind,
    group: &[Pending],
) -> Result<Vec<Resource>> {
    let Some(provider) = sites.get(site) else {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "an interrupted run was making things at `{site}`, which is no site of the topology \
                 any more"
            ),
        )
        .with_help(format!(
            "put the site back and apply, or look for a {kind} marked `{owner}` there"
        )));
    };
    let provider = &**provider;
    let names: BTreeSet<&str> = group
        .iter()
        .flat_map(|pending| pending.started.names.iter().map(String::as_str))
        .collect();
    let ours = Filter::Owner(owner.clone());
    let found = named(provider, kind, &ours, &names).await?;
    if found.len() == names.len() {
        return Ok(found);
    }
    let until = lag_ends(provider, clock.now(), group);
    if let Ok(wait) = Duration::try_from(until.duration_since(clock.now())) {
        clock.sleep(wait).await;
    }
    named(provider, kind, &Filter::All, &names).await
}

/// When a list shows what these calls made, if they made anything.
fn lag_ends(provider: &dyn Provider, now: Timestamp, group: &[Pending]) -> Timestamp {
    let window = Duration::from_millis(provider.capabilities().consistency_window_ms);
    let after = |at: Timestamp, wait| at.checked_add(wait).unwrap_or(Timestamp::MAX);
    let last_call = group.iter().map(|pending| pending.started.at).max();
    let last_call = last_call.map_or(now, |at| after(at, CALL_MAX).min(now));
    after(last_call, window)
}

async fn named(
    provider: &dyn Provider,
    kind: Kind,
    filter: &Filter,
    names: &BTreeSet<&str>,
) -> Result<Vec<Resource>> {
    let mut items = provider.list_all(kind, filter).await?;
    items.retain(|item| names.contains(item.name.as_str()));
    Ok(items)
}

fn judge(group: Vec<Pending>, found: &[Resource]) -> Vec<(Pending, Verdict)> {
    let verdicts = group.into_iter().map(|pending| {
        let started = &pending.started;
        let made = found.iter().filter(|item| {
            // A foreign mark is somebody else's thing of the same name.
            let mark = item.mark.as_ref();
            let ours = mark.is_none_or(|mark| {
                (&mark.owner, &mark.addr) == (&started.owner, &started.addr)
                    && is_of_call(mark, &item.witness, started.token.as_ref())
            });
            ours && started.names.contains(&item.name)
        });
        let made: Vec<ResourceId> = made.map(|item| item.id.clone()).collect();
        let verdict = if made.is_empty() {
            Verdict::MadeNothing
        } else {
            Verdict::Made(made)
        };
        (pending, verdict)
    });
    verdicts.collect()
}

/// Whether the call with a token may have made what carries a mark: not what another call made, nor a
/// copy. Marks of older versions name no call.
fn is_of_call(mark: &Mark, witness: &Witness, token: Option<&Token>) -> bool {
    let refuted = matches!(witness, Witness::Refuted { .. });
    let of_call = match (&mark.origin, token) {
        (Some(MarkOrigin::Made(by)), Some(token)) => by == token,
        (Some(MarkOrigin::Adopted(_)), _) => false,
        (Some(MarkOrigin::Made(_)) | None, _) => true,
    };
    of_call && !refuted
}

async fn close(
    journal: &Journal,
    now: Timestamp,
    pending: &Pending,
    verdict: &Verdict,
) -> Result<(), JournalError> {
    let entry = pending.entry;
    let (kind, why) = match verdict {
        Verdict::Made(ids) | Verdict::Deleted(ids) => {
            return journal.succeeded(now, entry, ids.clone()).await;
        }
        Verdict::MadeNothing => (ErrorKind::NotFound, "interrupted; it had made nothing"),
        Verdict::Closed => (ErrorKind::Timeout, "interrupted; the next plan goes on"),
    };
    journal
        .failed(now, entry, CallFailure::interrupted(kind, why))
        .await
}

fn tell(events: &EventSink, pending: Pending, verdict: Verdict) -> SettledEntry {
    let entry = SettledEntry {
        addr: pending.started.addr,
        site: pending.started.site,
        operation: pending.started.operation,
        verdict,
    };
    events.send(Event::Settled {
        addr: entry.addr.clone(),
        site: entry.site.clone(),
        operation: entry.operation,
        found: match &entry.verdict {
            Verdict::Made(ids) => ids.clone(),
            Verdict::MadeNothing | Verdict::Deleted(_) | Verdict::Closed => Vec::new(),
        },
    });
    entry
}
