//! What the journal's records add up to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use strat_model::{Addr, Kind, Name, Owner, ResourceId, Token};
use strat_planner::Applied;

use super::convert::text;
use super::known::{self, Ledger};
use super::wire::{self, Line, Record};
use crate::Operation;
use crate::execute::Counts;

/// How many runs are remembered.
const RUNS_MAX: usize = 200;

/// The number of one call in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) u64);

/// A call that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// The plan's id.
    pub plan: String,
    /// The step's number in the plan.
    pub step: u32,
    /// Whose things it is about.
    pub owner: Owner,
    /// What it is about.
    pub addr: Addr,
    /// The site.
    pub site: Name,
    /// The kind of thing.
    pub kind: Kind,
    /// What it does.
    pub operation: Operation,
    /// The generation that the marks of what it makes say.
    pub generation: u64,
    /// What makes a repeated create harmless.
    pub token: Option<Token>,
    /// The names of what it makes.
    pub names: Vec<String>,
    /// The digest of the spec it makes or brings about; empty where there is none.
    pub spec: String,
    /// What it changes or deletes.
    pub ids: Vec<ResourceId>,
}

/// A call whose outcome is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub entry: EntryId,
    /// What was begun.
    pub started: Started,
}

/// A run, for `history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// The plan's id.
    pub plan: String,
    /// Whose things it was about.
    pub owner: Owner,
    /// Who ran it: `user@host`.
    pub holder: String,
    /// The command.
    pub command: String,
    /// The generation of the lease.
    pub generation: u64,
    /// When it began.
    pub started: Timestamp,
    /// When and how it ended; `None` if it goes on or was killed.
    pub finished: Option<(Timestamp, Counts)>,
    /// Whether it was stopped.
    pub interrupted: bool,
}

/// What was written to lately.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// What creates made.
    pub(crate) created: BTreeSet<ResourceId>,
    /// What was changed, or may have been.
    pub(crate) changed: BTreeSet<ResourceId>,
    /// What was deleted, or may have been.
    pub(crate) deleted: BTreeSet<ResourceId>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) started: Started,
    end: Option<End>,
}

#[derive(Debug)]
pub(super) struct End {
    at: Timestamp,
    outcome: Outcome,
}

/// How a call ended.
#[derive(Debug)]
enum Outcome {
    Succeeded { made: Vec<ResourceId> },
    Failed(wire::Failed),
}

impl Outcome {
    fn made(&self) -> &[ResourceId] {
        match self {
            Self::Succeeded { made } => made,
            Self::Failed(_) => &[],
        }
    }

    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Failed(failed) if failed.outcome_unknown)
    }

    /// The record of it, to write it again.
    fn to_record(&self, entry: u64) -> Record {
        match self {
            Self::Succeeded { made } => Record::Succeeded(wire::Succeeded {
                entry,
                ids: made.iter().map(ToString::to_string).collect(),
            }),
            Self::Failed(failed) => Record::Failed(failed.clone()),
        }
    }
}

impl Entry {
    fn is_pending(&self) -> bool {
        self.end.as_ref().is_none_or(|end| end.outcome.is_unknown())
    }

    fn last_at(&self) -> Timestamp {
        self.end.as_ref().map_or(self.started.at, |end| end.at)
    }
}

/// What a line says, in the types of the program.
#[derive(Debug)]
pub(super) enum Said {
    RunStarted(RunRecord),
    Started(u64, Started),
    Ended(u64, End),
    RunFinished(Timestamp, wire::RunFinished),
    Applied(Owner, Timestamp, Applied),
    Known(Owner, Addr, Vec<ResourceId>),
    Forgotten(Owner, Addr, Vec<ResourceId>),
    Released(Owner, Addr, Vec<ResourceId>, u64),
    Account(Owner, Name, String),
}

impl Said {
    /// What a line says. The error says what is wrong with the line.
    pub(super) fn by(line: Line) -> Result<Self, String> {
        let at = line.at;
        Ok(match line.record {
            Record::RunStarted(run) => Self::RunStarted(RunRecord::from_wire(at, run)?),
            Record::Started(call) => Self::Started(call.entry, Started::from_wire(at, call)?),
            Record::Succeeded(wire::Succeeded { entry, ids }) => {
                let made = ids.iter().map(ResourceId::from).collect();
                let outcome = Outcome::Succeeded { made };
                Self::Ended(entry, End { at, outcome })
            }
            Record::Failed(failed) => {
                let entry = failed.entry;
                let outcome = Outcome::Failed(failed);
                Self::Ended(entry, End { at, outcome })
            }
            Record::RunFinished(finished) => Self::RunFinished(at, finished),
            Record::Applied(wire::Applied { owner, entries }) => {
                let entries = entries.iter().map(|(addr, count)| {
                    let addr = addr.parse::<Addr>().map_err(text)?;
                    Ok::<_, String>((addr, *count))
                });
                let owner = owner.parse().map_err(text)?;
                Self::Applied(owner, at, entries.collect::<Result<_, _>>()?)
            }
            Record::Known(wire::Known { owner, addr, ids }) => Self::Known(
                owner.parse().map_err(text)?,
                addr.parse().map_err(text)?,
                ids.iter().map(ResourceId::from).collect(),
            ),
            Record::Forgotten(gone) => {
                let owner = gone.owner.parse().map_err(text)?;
                let addr = gone.addr.parse().map_err(text)?;
                let ids = gone.ids.iter().map(ResourceId::from).collect();
                match gone.released {
                    Some(generation) => Self::Released(owner, addr, ids, generation),
                    None => Self::Forgotten(owner, addr, ids),
                }
            }
            Record::Account(wire::Account {
                owner,
                site,
                account,
            }) => Self::Account(
                owner.parse().map_err(text)?,
                site.parse().map_err(text)?,
                account,
            ),
        })
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    last_entry: u64,
    /// Boxed: nodes of a map that grows at its end stay half empty.
    pub(super) entries: BTreeMap<u64, Box<Entry>>,
    /// Which entries say that they made a thing: a destroy asks for each thing that it deletes.
    makers: FxHashMap<ResourceId, Vec<u64>>,
    applied: BTreeMap<Owner, (Timestamp, Applied)>,
    pub(super) ledger: Ledger,
    pub(super) runs: VecDeque<RunRecord>,
}

impl State {
    pub(super) fn next_entry(&self) -> EntryId {
        EntryId(self.last_entry + 1)
    }

    /// Takes in what a line says. The error says what is wrong with it.
    pub(super) fn apply(&mut self, said: Said) -> Result<(), String> {
        match said {
            Said::Started(number, started) => {
                self.last_entry = self.last_entry.max(number);
                let entry = Entry { started, end: None };
                self.entries.insert(number, Box::new(entry));
            }
            Said::Ended(entry, end) => self.end(entry, end)?,
            Said::Applied(owner, at, entries) => {
                self.applied.insert(owner, (at, entries));
            }
            Said::Known(owner, addr, ids) => self.ledger.know(&owner, &addr, ids),
            Said::Forgotten(owner, addr, ids) => self.ledger.forget(&owner, &addr, &ids),
            Said::Released(owner, addr, ids, generation) => {
                self.ledger.release(&owner, &addr, &ids, generation);
                took(&mut self.applied, &owner, &addr, ids.len());
            }
            Said::Account(owner, site, account) => self.ledger.set_account(owner, site, account),
            Said::RunStarted(run) => {
                let same = |other: &RunRecord| {
                    other.finished.is_none()
                        && (&other.plan, other.generation) == (&run.plan, run.generation)
                };
                // Announced twice under one lease, it is one run.
                if self.runs.back().is_some_and(same) {
                    return Ok(());
                }
                self.runs.push_back(run);
                if self.runs.len() > RUNS_MAX {
                    self.runs.pop_front();
                }
            }
            Said::RunFinished(at, finished) => {
                let mut runs = self.runs.iter_mut().rev();
                if let Some(run) = runs.find(|run| run.plan == finished.plan) {
                    run.finished = Some((at, finished.counts));
                    run.interrupted = finished.interrupted;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, entry: u64, end: End) -> Result<(), String> {
        let found = self.entries.get_mut(&entry);
        let found = found.ok_or_else(|| format!("it ends call {entry}, which never began"))?;
        let (owner, addr) = (&found.started.owner, &found.started.addr);
        let done = end.outcome.made();
        match found.started.operation {
            Operation::Create => {
                for id in done {
                    self.makers.entry(id.clone()).or_default().push(entry);
                }
                self.ledger.know(owner, addr, done.iter().cloned());
            }
            Operation::Delete if !done.is_empty() => {
                self.ledger.forget(owner, addr, done);
                took(&mut self.applied, owner, addr, done.len());
            }
            _ => {}
        }
        found.end = Some(end);
        Ok(())
    }

    pub(super) fn pending(&self) -> Vec<Pending> {
        let pending = self.entries.iter().filter(|(_, entry)| entry.is_pending());
        pending
            .map(|(number, entry)| Pending {
                entry: EntryId(*number),
                started: entry.started.clone(),
            })
            .collect()
    }

    pub(super) fn applied(&self, owner: &Owner) -> Option<Applied> {
        // Before the topology had a lineage, it was applied under its name alone.
        let applied = self.applied.get(owner);
        let applied = applied.or_else(|| self.applied.get(&owner.named()));
        applied.map(|(_, entries)| entries.clone())
    }

    pub(super) fn runs(&self) -> Vec<RunRecord> {
        self.runs.iter().cloned().collect()
    }

    pub(super) fn touched(
        &self,
        owner: &Owner,
        site: &Name,
        kind: Kind,
        since: Timestamp,
    ) -> Touched {
        let mut touched = Touched::default();
        for entry in self.entries.values() {
            let started = &entry.started;
            let here = owner.owns(&started.owner) && started.site == *site && started.kind == kind;
            // A pending entry counts whatever its age: nobody knows when its call was made.
            if !here || (entry.last_at() < since && !entry.is_pending()) {
                continue;
            }
            let ids = match started.operation {
                Operation::Create => {
                    let made = entry.end.iter().flat_map(|end| end.outcome.made());
                    touched.created.extend(made.cloned());
                    continue;
                }
                Operation::Delete => &mut touched.deleted,
                Operation::Update
                | Operation::Attach
                | Operation::Detach
                | Operation::Stop
                | Operation::Start
                | Operation::Restart
                | Operation::Probe => &mut touched.changed,
            };
            ids.extend(started.ids.iter().cloned());
        }
        touched
    }

    /// Whether a thing is known to be at an address, or a create that is recorded here made it.
    pub(super) fn made(&self, owner: &Owner, addr: &Addr, id: &ResourceId) -> bool {
        self.ledger.is_known(owner, addr, id) || self.makes(owner, addr, id)
    }

    /// Whether a create that is recorded here made a thing.
    fn makes(&self, owner: &Owner, addr: &Addr, id: &ResourceId) -> bool {
        let makers = self.makers.get(id).into_iter().flatten();
        let mut makers = makers.filter_map(|number| self.entries.get(number));
        makers.any(|entry| {
            let started = &entry.started;
            owner.owns(&started.owner)
                && started.addr == *addr
                && entry
                    .end
                    .as_ref()
                    .is_some_and(|end| end.outcome.made().contains(id))
        })
    }

    /// Forgets the entries that ended longer than `keep` ago.
    pub(super) fn forget_before(&mut self, now: Timestamp, keep: Duration) {
        let since = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        self.entries
            .retain(|_, entry| entry.is_pending() || entry.last_at() >= since);
        let entries = &self.entries;
        self.makers.retain(|_, numbers| {
            numbers.retain(|number| entries.contains_key(number));
            !numbers.is_empty()
        });
    }

    /// The lines that add up to this state again, one by one: of a large run they take more memory
    /// than the state.
    pub(super) fn each_line(&self, mut write: impl FnMut(Line)) {
        for run in &self.runs {
            write(Line::new(run.started, run.clone().into_record()));
            if let Some((at, counts)) = run.finished {
                let record = Record::RunFinished(wire::RunFinished {
                    plan: run.plan.clone(),
                    counts,
                    interrupted: run.interrupted,
                });
                write(Line::new(at, record));
            }
        }
        for (number, entry) in &self.entries {
            let started = entry.started.clone();
            write(Line::new(started.at, started.into_record(EntryId(*number))));
            if let Some(end) = &entry.end {
                write(Line::new(end.at, end.outcome.to_record(*number)));
            }
        }
        // Behind the entries, whose creates add to what is known whenever they are read.
        let now = self.entries.values().map(|entry| entry.last_at()).max();
        let now = now.unwrap_or(Timestamp::UNIX_EPOCH);
        for entry in self.entries.values() {
            let started = &entry.started;
            let made = entry.end.iter().flat_map(|end| end.outcome.made());
            let is_known = |id| self.ledger.is_known(&started.owner, &started.addr, id);
            let mut unknown = made.filter(|id| !is_known(id)).peekable();
            if started.operation == Operation::Create && unknown.peek().is_some() {
                let record = known::forgotten(&started.owner, &started.addr, unknown);
                write(Line::new(now, record));
            }
        }
        let is_told = |owner: &Owner, addr: &Addr, id: &ResourceId| self.makes(owner, addr, id);
        self.ledger
            .each_record(is_told, |record| write(Line::new(now, record)));
        for (owner, (at, entries)) in &self.applied {
            let entries = entries.iter().map(|(addr, n)| (addr.to_string(), *n));
            let record = Record::Applied(wire::Applied {
                owner: owner.to_string(),
                entries: entries.collect(),
            });
            write(Line::new(*at, record));
        }
    }
}

/// Counts what a run of ours deleted: what is missing of it later, nobody else took away.
fn took(
    applied: &mut BTreeMap<Owner, (Timestamp, Applied)>,
    owner: &Owner,
    addr: &Addr,
    count: usize,
) {
    for owner in [owner.clone(), owner.named()] {
        let entries = applied.get_mut(&owner).map(|(_, entries)| entries);
        if let Some(left) = entries.and_then(|entries| entries.get_mut(addr)) {
            *left = left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}
