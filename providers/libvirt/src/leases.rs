//! Leases: on each host one, as numbered volumes of its pool.
//!
//! A writing is a raw volume `lease-<key>.<number>`. libvirt makes a volume of a name once: its
//! driver refuses a name that it knows, and opens the file of a raw one with `O_CREAT | O_EXCL`
//! (`virStorageBackendCreateRaw`, `src/storage/storage_util.c`), which holds for a pool that two
//! hosts share, too. So who makes the number that follows the newest has written, and nobody else.
//! The text is filled in after that: until then the register shows nothing that can be read, and
//! whoever looks waits.
//!
//! The newest number is never deleted. Before and after a volume is made it is looked whether a
//! newer one is there: a number that was tidied away since it was seen is not taken again.

use std::io::Cursor;
use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};

use crate::error::fail;
use crate::host::{Host, NewVolume, Pool};
use crate::provider::LibvirtProvider;
use crate::site::{Site, on_all};

/// How many writings are kept beside the newest.
const OLD_MAX: usize = 4;
/// How often the newest is looked for that was tidied away while it was looked at.
const TRIES: u32 = 5;

/// Whether a volume of a pool is a lease's.
pub(crate) fn is_lease(file: &str) -> bool {
    let parts = file
        .strip_prefix("lease-")
        .and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(key, number)| {
        key.len() == 32
            && key.bytes().all(|byte| byte.is_ascii_hexdigit())
            && number.parse::<u64>().is_ok()
    })
}

/// The volumes of one lease on one host.
struct Register<'a> {
    host: &'a Host,
    pool: Pool,
    key: &'a LeaseKey,
}

impl<'a> Register<'a> {
    /// The register of a key, on the host whose place it has.
    fn of(site: &'a Site, key: &'a LeaseKey) -> Result<Self> {
        for host in &site.hosts {
            if place(host)? == key.place() {
                let pool = site.pool(host)?;
                return Ok(Self { host, pool, key });
            }
        }
        let message = format!("no host of the site is {}", key.place());
        Err(fail(ErrorKind::NotFound, message))
    }

    fn file(&self, number: u64) -> String {
        format!("lease-{}.{number:012}", self.key)
    }

    /// The numbers that are there, sorted.
    fn numbers(&self) -> Result<Vec<u64>> {
        let prefix = format!("lease-{}.", self.key);
        let names = self.pool.names(self.host)?;
        let numbers = names.iter().filter_map(|name| name.strip_prefix(&prefix));
        let mut numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn read(&self) -> Result<Option<Kept>> {
        for _ in 0..TRIES {
            let Some(newest) = self.numbers()?.pop() else {
                return Ok(None);
            };
            if let Some(text) = self.text(newest)? {
                let version = LeaseVersion(newest.to_string());
                return Ok(Some(Kept { text, version }));
            }
        }
        let message = "a lease was written again and again while it was read";
        Err(fail(ErrorKind::Transient, message))
    }

    /// The text of a number, as far as it is filled in; `None` if the volume is gone.
    fn text(&self, number: u64) -> Result<Option<String>> {
        let Some(volume) = self.pool.volume(self.host, &self.file(number))? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = self.host.download(&volume, &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        });
        match read {
            // It is being made or filled in at this moment.
            Err(error) if error.kind() == ErrorKind::Conflict => bytes.clear(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            outcome => outcome?,
        }
        let end = bytes.iter().position(|byte| *byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn replace(&self, text: &str, seen: Option<&LeaseVersion>) -> Result<LeaseVersion> {
        let seen = match seen {
            None => 0,
            Some(version) => version.0.parse().map_err(|_| written_since())?,
        };
        if self.numbers()?.pop().unwrap_or(0) != seen {
            return Err(written_since());
        }
        let number = seen + 1;
        let file = self.file(number);
        let length = text.len() as u64;
        let new = NewVolume {
            name: &file,
            capacity: Some(length),
            format: "raw",
            backing: None,
        };
        let volume = match self.pool.make_new(self.host, &new) {
            Ok(volume) => volume,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(written_since()),
            Err(error) => {
                // A pool that hosts share may have it without this libvirt knowing of it yet.
                self.pool.refresh(self.host)?;
                let there = self.pool.volume(self.host, &file)?;
                return Err(there.map_or(error, |_| written_since()));
            }
        };
        let mut there = self.numbers()?;
        if there.last().is_some_and(|newest| *newest > number) {
            self.pool.remove(self.host, &file)?;
            return Err(written_since());
        }
        self.host
            .upload(&volume, length, &mut Cursor::new(text.as_bytes()))?;
        there.retain(|old| *old < number);
        for old in there.iter().rev().skip(OLD_MAX) {
            self.pool.remove(self.host, &self.file(*old))?;
        }
        Ok(LeaseVersion(number.to_string()))
    }
}

fn written_since() -> Error {
    fail(ErrorKind::Precondition, "the lease was written since")
}

/// Where the writes of a host land: on that machine, whatever a site calls it.
fn place(host: &Host) -> Result<String> {
    Ok(format!("libvirt/{}", host.hostname()?))
}

#[async_trait]
impl Leases for LibvirtProvider {
    async fn places(&self) -> Result<Vec<String>> {
        self.run("lease_places", |site| {
            // No write lands on a host that is down.
            let places: Result<Vec<_>> = on_all(&site.hosts, place).into_iter().collect();
            let mut places = places?;
            places.sort();
            places.dedup();
            Ok(places)
        })
        .await
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let key = key.clone();
        self.run("read_lease", move |site| Register::of(site, &key)?.read())
            .await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        let (key, text, seen) = (key.clone(), text.to_owned(), seen.cloned());
        self.run("replace_lease", move |site| {
            Register::of(site, &key)?.replace(&text, seen.as_ref())
        })
        .await
    }

    async fn prove(&self, _key: &LeaseKey, _kept: &Kept) -> Result<bool> {
        Ok(false)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_of_leases_are_known() {
        let key = LeaseKey::of("shop", "libvirt/host");
        assert!(is_lease(&format!("lease-{key}.000000000012")));
        assert!(!is_lease("lease-of-the-office.qcow2") && !is_lease("shop-data.volume"));
    }
}
