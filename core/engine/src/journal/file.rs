//! The journal's file.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::JournalError;
use super::state::Said;
use super::wire::{Line, Unread};
use crate::files;

const FILE_NAME: &str = "journal.jsonl";

/// The file, as far as it is known to be whole.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// Opened at the first write.
    file: Option<File>,
    /// How much of it is whole.
    len: u64,
    /// How long it is, with a torn last line.
    len_on_disk: u64,
    /// Whether something was written since the last sync.
    unsynced: bool,
    /// Set by the first failed write: what is on disk is not known from then on.
    broken: Option<JournalError>,
}

/// Why reading stopped.
enum Stop {
    Io(std::io::Error),
    Unread(Unread),
}

impl From<std::io::Error> for Stop {
    fn from(why: std::io::Error) -> Self {
        Self::Io(why)
    }
}

impl Log {
    /// Reads the file, if there is one, and gives what its lines say to `take` one by one, which
    /// says what is wrong with a line.
    pub(super) fn open(
        dir: &Path,
        mut take: impl FnMut(Said) -> Result<(), String>,
    ) -> Result<Self, JournalError> {
        let mut log = Self {
            path: dir.join(FILE_NAME),
            file: None,
            len: 0,
            len_on_disk: 0,
            unsynced: false,
            broken: None,
        };
        let file = match files::open(&log.path) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(log),
            Err(why) => return Err(log.io(why)),
        };
        let said = |line: &[u8]| Said::by(Line::read(line)?).map_err(Unread::Damaged);
        let parse = |line: &[u8]| (!line.is_empty()).then(|| said(line));
        let mut number = 0;
        let read = strat_parallel::each_line(file, parse, |line, _| {
            number += 1;
            let Some(said) = line else { return Ok(()) };
            let taken = said.and_then(|said| take(said).map_err(Unread::Damaged));
            taken.map_err(Stop::Unread)
        });
        let length = read.map_err(|why| match why {
            Stop::Io(why) => log.io(why),
            Stop::Unread(why) => log.unread(number, why),
        })?;
        // A line without an end is the last: its write was cut short, so the call that it was to
        // cover was never made.
        log.len = length.whole;
        log.len_on_disk = length.whole + length.torn;
        Ok(log)
    }

    fn unread(&self, line: usize, why: Unread) -> JournalError {
        let path = self.path.clone();
        match why {
            Unread::Newer(version) => JournalError::Newer {
                path,
                line,
                version,
            },
            Unread::Damaged(why) => JournalError::Damaged { path, line, why },
        }
    }

    fn io(&self, why: std::io::Error) -> JournalError {
        JournalError::Io {
            path: self.path.clone(),
            source: Arc::new(why),
        }
    }

    /// Appends whole lines. With `sync`, they and all before them are on disk when it returns.
    pub(super) fn append(&mut self, lines: &[u8], sync: bool) -> Result<(), JournalError> {
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        if lines.is_empty() && !(sync && self.unsynced) {
            return Ok(());
        }
        let written = self.try_append(lines, sync);
        if let Err(why) = &written {
            self.broken = Some(why.clone());
        }
        written
    }

    fn try_append(&mut self, lines: &[u8], sync: bool) -> Result<(), JournalError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.create().map_err(|why| self.io(why))?,
        };
        // By its path: a file that was replaced under us has another length as well.
        let on_disk = std::fs::metadata(&self.path).map_err(|why| self.io(why))?;
        if on_disk.len() != self.len_on_disk {
            return Err(JournalError::Changed {
                path: self.path.clone(),
            });
        }
        let mut write = || {
            if self.len != self.len_on_disk {
                file.set_len(self.len)?;
            }
            file.write_all(lines)?;
            if sync { file.sync_data() } else { Ok(()) }
        };
        write().map_err(|why| self.io(why))?;
        self.len += lines.len() as u64;
        self.len_on_disk = self.len;
        self.unsynced = !sync;
        self.file = Some(file);
        Ok(())
    }

    fn create(&self) -> std::io::Result<File> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(dir)?;
        let file = files::append(&self.path)?;
        files::sync_dir(dir)?;
        Ok(file)
    }

    /// Puts a whole new file in the place of the old one.
    pub(super) fn replace(&mut self, lines: &[u8]) -> Result<(), JournalError> {
        // Nothing is written to a journal that somebody else changed, and none is made of nothing.
        if let Some(why) = &self.broken {
            return Err(why.clone());
        }
        if self.len_on_disk == 0 && lines.is_empty() {
            return Ok(());
        }
        files::replace(&self.path, lines).map_err(|why| self.io(why))?;
        self.file = None;
        self.unsynced = false;
        self.len = lines.len() as u64;
        self.len_on_disk = self.len;
        Ok(())
    }
}
