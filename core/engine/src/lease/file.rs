//! A lease in a file, for the processes that share a folder.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use strat_provider::Clock;

use super::record::Record;
use super::{Holder, Lease, LeaseError, LeaseStore};

/// A lease in a folder: `lease.json`, replaced as a whole while `lease.lock` is locked.
///
/// The lock is held only for the moment of reading and writing; who holds the lease is what the
/// file says. It works as far as file locks do: on one host, and on shared folders that have them.
#[derive(Debug, Clone)]
pub struct FileLeaseStore {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
}

impl FileLeaseStore {
    /// The lease in `dir`, which is made when first acquired.
    pub fn new(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            dir: dir.into(),
            clock,
        }
    }

    /// Reads the record, lets `f` change it, and writes it back, as one step for all processes.
    async fn change<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Record, Timestamp) -> Result<T, LeaseError> + Send + 'static,
    ) -> Result<T, LeaseError> {
        let dir = self.dir.clone();
        let clock = Arc::clone(&self.clock);
        let work = move || {
            std::fs::create_dir_all(&dir).map_err(|why| io(&dir, why))?;
            let _locked = lock_file(&dir)?;
            let before = read(&dir)?;
            let mut record = before.clone();
            let answer = f(&mut record, clock.now())?;
            if record != before {
                write(&dir, &record)?;
            }
            Ok(answer)
        };
        crate::blocking(work).await
    }
}

#[async_trait]
impl LeaseStore for FileLeaseStore {
    async fn acquire(&self, holder: &Holder, ttl: Duration) -> Result<Lease, LeaseError> {
        let holder = holder.clone();
        self.change(move |record, now| record.acquire(&holder, now, ttl))
            .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, LeaseError> {
        let lease = lease.clone();
        self.change(move |record, now| record.renew(&lease, now, ttl))
            .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        let lease = lease.clone();
        self.change(move |record, _| {
            record.release(&lease);
            Ok(())
        })
        .await
    }

    async fn current(&self) -> Result<Option<Lease>, LeaseError> {
        // The file is replaced as a whole, so reading needs no lock and makes no folder.
        let dir = self.dir.clone();
        let record = crate::blocking(move || read(&dir)).await?;
        Ok(record.current(self.clock.now()))
    }

    async fn break_(&self) -> Result<Option<Lease>, LeaseError> {
        self.change(|record, now| Ok(record.break_(now))).await
    }
}

fn lock_file(dir: &Path) -> Result<File, LeaseError> {
    let path = dir.join("lease.lock");
    let open = || {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|why| io(&path, why))
}

fn read(dir: &Path) -> Result<Record, LeaseError> {
    let path = dir.join("lease.json");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Record::default()),
        Err(why) => return Err(io(&path, why)),
    };
    let record: Record = serde_json::from_slice(&bytes).map_err(|why| io(&path, why.into()))?;
    if record.v > Record::VERSION {
        return Err(LeaseError::Newer {
            place: path.display().to_string(),
        });
    }
    Ok(record)
}

fn write(dir: &Path, record: &Record) -> Result<(), LeaseError> {
    let path = dir.join("lease.json");
    let new = dir.join("lease.json.new");
    let write = || {
        let bytes = serde_json::to_vec(record)?;
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        crate::journal::sync_dir(dir)
    };
    write().map_err(|why| io(&path, why))
}

fn io(place: &Path, why: std::io::Error) -> LeaseError {
    LeaseError::Io {
        place: place.display().to_string(),
        source: Arc::new(why),
    }
}
