//! The journal: what was begun, and what became of it.
//!
//! # Expected flow
//!
//! [`Journal::run_started`]; for each call [`Journal::started`] before it and
//! [`Journal::succeeded`] or [`Journal::failed`] after it; [`Journal::run_finished`]. After a run
//! in which everything succeeded, [`Journal::record_applied`]; at the end [`Journal::compact`].
//!
//! # Guarantees
//!
//! - When [`Journal::started`] returns, the record is on disk. Many steps that begin at once share
//!   one write and one `fsync`.
//! - What became of a call is on disk before any later [`Journal::started`] or
//!   [`Journal::run_finished`] returns; it waits for no `fsync` of its own. Where a crash takes it,
//!   the call is pending for the next run, as one whose answer never came.
//! - A last line that a crash cut short is ignored, and cut off by the next write. Any other
//!   damage is an error that names file and line.
//! - It holds addresses, names, ids, digests and tokens. It never holds user data, and of a failed
//!   call only kind, code and request id: a cloud's own words may repeat what they were told.
//!
//! # Assumptions
//!
//! - Only the holder of the lease writes; open the journal after the lease was acquired. A journal
//!   that grew behind our back is noticed and refused.
//!
//! # Caveats
//!
//! - Reading is always safe: a plan or `history` may open the journal of a running apply.

mod convert;
mod error;
mod failure;
mod file;
mod known;
mod left;
mod released;
mod renamed;
#[cfg(feature = "schema")]
mod schema;
mod state;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Addr, Kind, Name, Owner, ResourceId};
use strat_planner::Applied;

pub use error::JournalError;
pub use failure::CallFailure;
pub use renamed::Noted;
#[cfg(feature = "schema")]
pub use schema::journal_schema;
use state::Said;
pub(crate) use state::Touched;
pub use state::{EntryId, Pending, RunRecord, Started};
use wire::{Line, Record};

use crate::execute::Counts;
use crate::{Sites, blocking, lock};

/// An append-only record of what was begun and what became of it.
#[derive(Debug)]
pub struct Journal {
    inner: Arc<Inner>,
    /// Whose turn it is to write: who gets it writes for all that wait behind.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    memory: Mutex<Memory>,
    /// `None` for a journal in memory.
    log: Option<Mutex<file::Log>>,
}

#[derive(Debug, Default)]
struct Memory {
    state: state::State,
    /// Lines that are not on disk yet.
    unwritten: Vec<u8>,
    /// How many records were ever appended, and how many of them are known to be on disk.
    appended: u64,
    durable: u64,
}

impl Inner {
    /// Writes everything that waits; with `sync`, all that was ever written is on disk then. Blocks.
    fn flush(&self, sync: bool) -> Result<(), JournalError> {
        let Some(log) = &self.log else { return Ok(()) };
        // The log is locked first, so that two flushes write in the order in which they took.
        let mut log = lock(log);
        let (lines, upto) = {
            let mut memory = lock(&self.memory);
            (std::mem::take(&mut memory.unwritten), memory.appended)
        };
        log.append(&lines, sync)?;
        if sync {
            lock(&self.memory).durable = upto;
        }
        Ok(())
    }

    fn rewrite(&self, now: Timestamp, keep: Duration) -> Result<(), JournalError> {
        let mut log = self.log.as_ref().map(lock);
        let mut bytes = Vec::new();
        {
            let mut memory = lock(&self.memory);
            memory.state.forget_before(now, keep);
            memory.unwritten.clear();
            memory.state.each_line(|line| line.write_to(&mut bytes));
        }
        match &mut log {
            Some(log) => log.replace(&bytes),
            None => Ok(()),
        }
    }
}

impl Journal {
    /// Opens the journal in `dir`, which is made at the first write.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or was written by a newer program.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let mut state = state::State::default();
        let log = file::Log::open(dir, |said| state.apply(said))?;
        Ok(Self::with(state, Some(log)))
    }

    /// A journal that is gone with the process: for tests and rehearsals.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::with(state::State::default(), None)
    }

    fn with(state: state::State, log: Option<file::Log>) -> Self {
        let memory = Memory {
            state,
            ..Memory::default()
        };
        Self {
            inner: Arc::new(Inner {
                memory: Mutex::new(memory),
                log: log.map(Mutex::new),
            }),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn run_started(&self, run: RunRecord) -> Result<(), JournalError> {
        let at = run.started;
        self.record(at, run.into_record()).await
    }

    /// Records that a call is about to be made. Once this returns, that is on disk.
    ///
    /// # Errors
    /// If it cannot be written; the call must not be made then.
    pub async fn started(&self, started: Started) -> Result<EntryId, JournalError> {
        let at = started.at;
        let (entry, seq) = {
            let mut memory = lock(&self.inner.memory);
            let entry = memory.state.next_entry();
            (entry, memory.append(at, started.into_record(entry)))
        };
        self.commit(seq).await?;
        Ok(entry)
    }

    /// Records that a call was answered, and what it made. Waits for no disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn succeeded(
        &self,
        at: Timestamp,
        entry: EntryId,
        ids: Vec<ResourceId>,
    ) -> Result<(), JournalError> {
        let record = Record::Succeeded(wire::Succeeded {
            entry: entry.0,
            ids: ids.iter().map(ToString::to_string).collect(),
        });
        self.note(at, record).await
    }

    /// Records that a call failed. Where its outcome is not known, it stays pending. Waits for no
    /// disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn failed(
        &self,
        at: Timestamp,
        entry: EntryId,
        failure: CallFailure,
    ) -> Result<(), JournalError> {
        self.note(at, failure.into_record(entry.0)).await
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn run_finished(
        &self,
        at: Timestamp,
        plan: &str,
        counts: Counts,
        interrupted: bool,
    ) -> Result<(), JournalError> {
        let record = Record::RunFinished(wire::RunFinished {
            plan: plan.to_owned(),
            counts,
            interrupted,
        });
        self.record(at, record).await
    }

    /// Records what an apply left in which everything succeeded.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn record_applied(
        &self,
        at: Timestamp,
        owner: &Owner,
        entries: &Applied,
    ) -> Result<(), JournalError> {
        let record = Record::Applied(wire::Applied {
            owner: owner.to_string(),
            entries: entries
                .iter()
                .map(|(addr, count)| (addr.to_string(), *count))
                .collect(),
        });
        self.record(at, record).await
    }

    /// Rewrites the journal with only what still matters: calls without a known end, whatever is
    /// younger than `keep` (see [`retention`]), what was applied last, and the latest runs.
    ///
    /// # Errors
    /// If it cannot be written; the old journal is whole then.
    pub async fn compact(&self, now: Timestamp, keep: Duration) -> Result<(), JournalError> {
        let _turn = self.turn.lock().await;
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.rewrite(now, keep)).await
    }

    /// Whether nothing is being written: a write that was begun goes on when whoever waited for it is
    /// gone. Let it end before another journal of the same folder is opened in this process.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        // Each write has a hold of its own.
        Arc::strong_count(&self.inner) == 1
    }

    /// The calls whose outcome is not known, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Pending> {
        lock(&self.inner.memory).state.pending()
    }

    /// What the last apply of `owner` left in which everything succeeded.
    #[must_use]
    pub fn applied(&self, owner: &Owner) -> Option<Applied> {
        lock(&self.inner.memory).state.applied(owner)
    }

    /// The latest runs, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<RunRecord> {
        lock(&self.inner.memory).state.runs()
    }

    /// What was written to at a site since `since`.
    pub(crate) fn touched(
        &self,
        owner: &Owner,
        site: &Name,
        kind: Kind,
        since: Timestamp,
    ) -> Touched {
        let memory = lock(&self.inner.memory);
        memory.state.touched(owner, site, kind, since)
    }

    /// Whether a create that is recorded here made `id` for `addr`.
    pub(crate) fn made(&self, owner: &Owner, addr: &Addr, id: &ResourceId) -> bool {
        lock(&self.inner.memory).state.made(owner, addr, id)
    }

    /// Records that things of a topology are there, by id, or by `gone` that they are not.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn record_known(
        &self,
        at: Timestamp,
        owner: &Owner,
        there: &BTreeMap<Addr, BTreeSet<ResourceId>>,
        gone: &BTreeMap<Addr, BTreeSet<ResourceId>>,
    ) -> Result<(), JournalError> {
        {
            let mut memory = lock(&self.inner.memory);
            for (addr, ids) in there {
                memory.append(at, known::known(owner, addr, ids));
            }
            for (addr, ids) in gone {
                memory.append(at, known::forgotten(owner, addr, ids));
            }
        }
        self.hand_over().await
    }

    /// Records which account a site is in.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn record_account(
        &self,
        at: Timestamp,
        owner: &Owner,
        site: &Name,
        account: &str,
    ) -> Result<(), JournalError> {
        let record = Record::Account(wire::Account {
            owner: owner.to_string(),
            site: site.to_string(),
            account: account.to_owned(),
        });
        self.note(at, record).await
    }

    /// The account that a site was in when it was last applied.
    #[must_use]
    pub fn account(&self, owner: &Owner, site: &Name) -> Option<String> {
        let memory = lock(&self.inner.memory);
        memory.state.ledger.account(owner, site).map(str::to_owned)
    }

    /// The things of a topology that are known to be at a site, and which of its things they are.
    #[must_use]
    pub fn known(&self, owner: &Owner, site: &Name, kind: Kind) -> BTreeMap<ResourceId, Addr> {
        lock(&self.inner.memory).state.ledger.at(owner, site, kind)
    }

    /// How many things of a topology are known to be at each site.
    #[must_use]
    pub fn known_sites(&self, owner: &Owner) -> BTreeMap<Name, usize> {
        lock(&self.inner.memory).state.ledger.sites(owner)
    }

    /// How many things are known of each topology that was ever applied in this folder.
    #[must_use]
    pub fn known_owners(&self) -> BTreeMap<Owner, usize> {
        lock(&self.inner.memory).state.ledger.owners()
    }

    async fn record(&self, at: Timestamp, record: Record) -> Result<(), JournalError> {
        let seq = lock(&self.inner.memory).append(at, record);
        self.commit(seq).await
    }

    /// Returns once record number `seq` is on disk.
    async fn commit(&self, seq: u64) -> Result<(), JournalError> {
        if self.inner.log.is_none() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if lock(&self.inner.memory).durable >= seq {
            return Ok(());
        }
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.flush(true)).await
    }

    /// Records what became of a call. It is handed to the system at once unless somebody writes
    /// just now: then whoever writes next does it.
    async fn note(&self, at: Timestamp, record: Record) -> Result<(), JournalError> {
        lock(&self.inner.memory).append(at, record);
        self.hand_over().await
    }

    /// Hands what was recorded to the system, unless somebody writes just now, who does it then.
    async fn hand_over(&self) -> Result<(), JournalError> {
        if self.inner.log.is_none() {
            return Ok(());
        }
        let Ok(_turn) = self.turn.try_lock() else {
            return Ok(());
        };
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.flush(false)).await
    }
}

impl Memory {
    /// Appends a record and returns its number.
    fn append(&mut self, at: Timestamp, record: Record) -> u64 {
        let line = Line::new(at, record);
        line.write_to(&mut self.unwritten);
        if let Err(why) = Said::by(line).and_then(|said| self.state.apply(said)) {
            // Our own records are well-formed; if one is not, the next reader says so as well.
            tracing::error!(why, "the journal took a record that it cannot read");
        }
        self.appended += 1;
        self.appended
    }
}

/// How long [`Journal::compact`] must keep what was written to: the largest consistency or token
/// window of any site.
#[must_use]
pub fn retention(sites: &Sites) -> Duration {
    let windows = sites.values().map(|site| {
        let capabilities = site.capabilities();
        let token = match capabilities.idempotency {
            strat_model::Idempotency::Token { window_ms } => window_ms,
            strat_model::Idempotency::Name => 0,
        };
        token.max(capabilities.consistency_window_ms)
    });
    Duration::from_millis(windows.max().unwrap_or(0))
}

#[cfg(test)]
mod tests;
