//! Leases in a folder, for the processes that share it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use strat_model::{Digest, Error, ErrorKind, Result};
use strat_provider::{Kept, LEASE_TEXT_MAX, LeaseKey, LeaseVersion, Leases};

use crate::files;

/// How long the lock is waited for at least. It is held for the moment of reading and writing.
const PATIENCE_MIN: Duration = Duration::from_secs(5);
/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(10);

/// One lease in a folder, whatever its key: `lease.json`, replaced as a whole while `lease.lock` is
/// locked.
///
/// It works as far as file locks do: on one host, and on shared folders that have them.
#[derive(Debug, Clone)]
pub struct FileLeases {
    pub(super) dir: PathBuf,
    pub(super) patience: Duration,
}

impl FileLeases {
    /// The lease in `dir`, which is made when it is first taken. `patience` is how long another
    /// process may keep the lock.
    pub fn new(dir: impl Into<PathBuf>, patience: Duration) -> Self {
        Self {
            dir: dir.into(),
            patience: patience.max(PATIENCE_MIN),
        }
    }
}

#[async_trait]
impl Leases for FileLeases {
    async fn places(&self) -> Result<Vec<String>> {
        Ok(vec![self.dir.display().to_string()])
    }

    async fn read(&self, _key: &LeaseKey) -> Result<Option<Kept>> {
        // The file is replaced as a whole, so reading needs no lock and makes no folder.
        let dir = self.dir.clone();
        crate::blocking(move || read(&dir)).await
    }

    async fn replace(
        &self,
        _key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let (dir, patience) = (self.dir.clone(), self.patience);
        let (text, seen) = (text.to_owned(), seen.cloned());
        let work = move || {
            std::fs::create_dir_all(&dir).map_err(|why| io(&dir, why))?;
            let _locked = lock_file(&dir, patience)?;
            if read(&dir)?.map(|kept| kept.version) != seen {
                return Err(Error::new(ErrorKind::Precondition, "it was written since"));
            }
            let path = dir.join("lease.json");
            files::replace(&path, text.as_bytes()).map_err(|why| io(&path, why))?;
            Ok(version(&text))
        };
        crate::blocking(work).await
    }

    async fn prove(&self, _key: &LeaseKey, _kept: &Kept) -> Result<bool> {
        Ok(false)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// No text is ever written twice, so its digest sets a writing apart.
fn version(text: &str) -> LeaseVersion {
    LeaseVersion(Digest::of(text.as_bytes()).as_str().to_owned())
}

fn read(dir: &Path) -> Result<Option<Kept>> {
    let path = dir.join("lease.json");
    let bytes = files::read(&path, LEASE_TEXT_MAX as u64).map_err(|why| io(&path, why))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let text = String::from_utf8(bytes).unwrap_or_default();
    // It is written whole, so what is no record was written by something else.
    if !serde_json::from_str(&text).is_ok_and(|value: serde_json::Value| value.is_object()) {
        return Err(io(&path, files::refused(&path, "holds no lease")));
    }
    let version = version(&text);
    Ok(Some(Kept { text, version }))
}

/// Locks the folder until the file is dropped.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a thread waits for a file lock, which no virtual clock can hurry"
)]
fn lock_file(dir: &Path, patience: Duration) -> Result<File> {
    let path = dir.join("lease.lock");
    let file = files::append(&path).map_err(|why| io(&path, why))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(why)) => return Err(io(&path, why)),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "another process has kept `{}` locked for {} s",
                    path.display(),
                    patience.as_secs()
                );
                let help = "end that process (`fuser` names it), or wait for it longer";
                return Err(Error::new(ErrorKind::Conflict, message).with_help(help));
            }
        }
    }
}

fn io(path: &Path, why: std::io::Error) -> Error {
    if why.kind() == std::io::ErrorKind::InvalidData {
        // It says what is wrong with which file already.
        return Error::new(ErrorKind::Invalid, why.to_string()).with_help(files::WAY_OUT);
    }
    let message = format!("`{}` cannot be used", path.display());
    Error::new(ErrorKind::Internal, message).with_source(why)
}
