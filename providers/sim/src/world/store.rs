//! The world's files: a log of changes, one line a transaction, and a lock.
//!
//! A log is called `log-<generation>.jsonl`; the highest generation counts. Its first lines may be
//! a snapshot: compaction writes the next generation beside the log, renames it into place whole,
//! and only then removes the old one. A transaction is one write of one line, made under the lock.
//! A line without an end was cut short by a kill; nobody was told that it happened, and it is
//! cut off before the next one is written.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::state::{Change, FORMAT, State};

/// How often the lock is tried, and how long is paused between two tries: it is held for a
/// transaction, so who keeps it for 20 s is stopped or hangs.
const LOCK_TRIES: u32 = 2_000;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A log smaller than this is not worth compacting.
const COMPACT_FROM: u64 = 4 << 20;
/// A log is compacted when it holds this many times the changes that its snapshot would.
const COMPACT_RATIO: usize = 3;

#[derive(Serialize)]
struct EntryRef<'a> {
    changes: &'a [Change],
}

#[derive(Deserialize)]
struct Entry {
    changes: Vec<Change>,
}

/// The files of one world, as one process has them open.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    lock: File,
    log: Option<Log>,
}

#[derive(Debug)]
struct Log {
    generation: u64,
    file: File,
    /// How far it was read, which is always the end of a line.
    read: u64,
    /// How many changes were read.
    changes: usize,
}

/// Holds the lock of a world until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the handle gives the lock back in any case.
        let _ = self.0.unlock();
    }
}

impl Store {
    /// Opens the files of a world, or makes the folder of a new one.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))?;
        Ok(Self {
            folder: folder.to_owned(),
            lock,
            log: None,
        })
    }

    /// Waits for the lock and brings `state` up to the last answered transaction.
    pub(crate) fn lock(&mut self, state: &mut State) -> io::Result<Locked> {
        self.wait_for_lock(LOCK_TRIES)?;
        let guard = Locked(self.lock.try_clone()?);
        let stale = match &self.log {
            None => true,
            Some(log) => {
                let next = self.log_path(log.generation + 1);
                next.exists() || !self.log_path(log.generation).exists()
            }
        };
        if stale {
            self.reopen(state)?;
        }
        if let Some(log) = &mut self.log {
            log.catch_up(state)?;
        }
        Ok(guard)
    }

    fn wait_for_lock(&self, tries: u32) -> io::Result<()> {
        for _ in 0..tries {
            match self.lock.try_lock() {
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(why)) => return Err(why),
                Ok(()) => return Ok(()),
            }
        }
        let message = format!(
            "another process has kept `{}` locked for {} s",
            self.folder.join("lock").display(),
            (LOCK_PAUSE * tries).as_secs()
        );
        Err(io::Error::new(io::ErrorKind::WouldBlock, message))
    }

    /// Forgets what was read, so that the next lock reads everything anew.
    pub(crate) fn forget(&mut self) {
        self.log = None;
    }

    /// Writes one transaction. The lock must be held.
    pub(crate) fn append(&mut self, changes: &[Change], state: &State) -> io::Result<()> {
        let Some(log) = &mut self.log else {
            return Err(io::Error::other("the log is not open"));
        };
        log.append(changes)?;
        if log.read > COMPACT_FROM && log.changes > COMPACT_RATIO * state.size() {
            self.compact(state)?;
        }
        Ok(())
    }

    fn log_path(&self, generation: u64) -> PathBuf {
        self.folder.join(format!("log-{generation}.jsonl"))
    }

    fn generations(&self) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let number = name
                .strip_prefix("log-")
                .and_then(|n| n.strip_suffix(".jsonl"));
            found.extend(number.and_then(|n| n.parse::<u64>().ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn reopen(&mut self, state: &mut State) -> io::Result<()> {
        let mut generations = self.generations()?;
        let generation = generations.pop().unwrap_or(1);
        for old in generations {
            fs::remove_file(self.log_path(old))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(self.log_path(generation))?;
        let mut log = Log {
            generation,
            file,
            read: 0,
            changes: 0,
        };
        *state = State::new(state.seed);
        log.catch_up(state)?;
        if log.read == 0 {
            let head = Change::World {
                format: FORMAT,
                seed: state.seed,
            };
            log.append(&[head])?;
        }
        self.log = Some(log);
        Ok(())
    }

    fn compact(&mut self, state: &State) -> io::Result<()> {
        let Some(generation) = self.log.as_ref().map(|log| log.generation) else {
            return Ok(());
        };
        let temporary = self.folder.join("next.tmp");
        let mut file = io::BufWriter::new(File::create(&temporary)?);
        for changes in state.snapshot() {
            file.write_all(&line(&changes)?)?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let size = file.metadata()?.len();
        let next = self.log_path(generation + 1);
        fs::rename(&temporary, &next)?;
        self.log = Some(Log {
            generation: generation + 1,
            file: OpenOptions::new().read(true).append(true).open(&next)?,
            read: size,
            changes: state.size(),
        });
        fs::remove_file(self.log_path(generation))
    }
}

impl Log {
    /// Reads what was written since the last time.
    fn catch_up(&mut self, state: &mut State) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        if length == self.read {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.read))?;
        let (read, changes) = (&mut self.read, &mut self.changes);
        let end = strat_parallel::each_line(&self.file, entry, |entry, len| {
            let damaged = |why: &dyn Display| {
                let message = format!("the log is damaged at byte {read}: {why}");
                io::Error::new(io::ErrorKind::InvalidData, message)
            };
            let entry = entry.map_err(|why| damaged(&why))?;
            *changes += entry.changes.len();
            for change in entry.changes {
                state.apply(change).map_err(|why| damaged(&why))?;
            }
            *read += len as u64;
            Ok::<_, io::Error>(())
        })?;
        if end.torn > 0 {
            // The lock is held, so nobody is writing: this line was cut short.
            self.file.set_len(self.read)?;
        }
        Ok(())
    }

    fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let line = line(changes)?;
        self.file.write_all(&line)?;
        self.read += line.len() as u64;
        self.changes += changes.len();
        Ok(())
    }
}

/// What a line says.
fn entry(line: &[u8]) -> Result<Entry, String> {
    // Once for all of its texts: else each would be looked at by itself.
    let line = std::str::from_utf8(line).map_err(|why| why.to_string())?;
    serde_json::from_str(line).map_err(|why| why.to_string())
}

fn line(changes: &[Change]) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&EntryRef { changes })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_that_somebody_keeps_locked_is_not_waited_for_for_ever() {
        let dir = tempfile::tempdir().expect("a folder");
        let stores = [(); 2].map(|()| Store::open(dir.path()).expect("opens"));
        stores[0].wait_for_lock(1).expect("free");
        let error = stores[1].wait_for_lock(3).expect_err("locked");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(error.to_string().contains("lock` locked for"), "{error}");
        stores[0].lock.unlock().expect("unlocked");
        stores[1].wait_for_lock(1).expect("free");
    }
}
