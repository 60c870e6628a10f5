//! Whether each host's pools are its own.
//!
//! What is on one host is told from what is on another by the pool that it is in. Of two hosts that have
//! one folder for a pool, as with NFS, each would show all that is in it, and a volume would count as
//! its own copy, left behind by a move, and be deleted. So such a site is refused.
//!
//! A file of a random name is made on one host, and then on the other: libvirt opens the file of a new
//! raw volume with `O_CREAT | O_EXCL` (`virStorageBackendCreateRaw`, `src/storage/storage_util.c`), so
//! the second is refused if both are one folder, whatever each libvirt has in its lists. That two pools
//! were found apart is kept in them: each has a volume `pool-<random>` that is made then and stays, and
//! pools that have different ones are not tried again.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use strat_model::{Error, ErrorKind, Name, Result};

use super::Site;
use crate::error::fail;
use crate::host::{Host, NewVolume, Pool};

const PROBE: &str = "probe-";
const IDENTITY: &str = "pool-";

/// Whether a volume of a pool was made to tell pools apart.
pub(crate) fn is_of_pools(file: &str) -> bool {
    [PROBE, IDENTITY]
        .into_iter()
        .any(|prefix| is_random(file, prefix))
}

fn is_random(file: &str, prefix: &str) -> bool {
    let rest = file.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn random(prefix: &str) -> String {
    format!("{prefix}{:032x}", fastrand::u128(..))
}

const fn small(name: &str) -> NewVolume<'_> {
    NewVolume {
        name,
        capacity: Some(1),
        format: "raw",
        backing: None,
    }
}

/// A pool of a host, and what tells it apart.
struct Found<'a> {
    host: &'a Host,
    pool: Pool,
    identities: BTreeSet<String>,
}

impl Site {
    /// Fails if two hosts that answer have one folder for a pool. What cannot be tried now is tried
    /// before anything is deleted or copied between the two.
    pub(crate) fn check_apart(&self) -> Result<()> {
        let names = self.settings.pools.values().chain([&self.settings.pool]);
        for name in names.collect::<BTreeSet<_>>() {
            let found = self.try_each(|host| self.identified(host, name));
            let found: Vec<Found<'_>> = self
                .hosts
                .iter()
                .zip(found)
                .filter_map(|(host, found)| {
                    let (pool, identities) = found.ok().flatten()?;
                    Some(Found {
                        host,
                        pool,
                        identities,
                    })
                })
                .collect();
            for (index, one) in found.iter().enumerate() {
                for other in &found[..index] {
                    match self.compare(name, one, other) {
                        Err(error) if error.kind() == ErrorKind::Invalid => return Err(error),
                        Err(error) => tracing::debug!("pools cannot be told apart: {error}"),
                        Ok(()) => {}
                    }
                }
            }
            for one in found.iter().filter(|one| one.identities.is_empty()) {
                // Who may only look makes nothing that could be mistaken, either.
                if found.len() > 1
                    && let Err(error) = one.pool.make_new(one.host, &small(&random(IDENTITY)))
                {
                    tracing::debug!("a pool keeps no name: {error}");
                }
            }
        }
        Ok(())
    }

    /// Fails unless the pools of a name of two hosts are known to be two.
    pub(crate) fn apart(&self, name: &str, one: &Host, other: &Host) -> Result<()> {
        let find = |host| {
            let found = self.identified(host, name)?;
            let message = || format!("the pool {name} of {} cannot be told apart", host.name());
            let (pool, identities) = found.ok_or_else(|| fail(ErrorKind::Internal, message()))?;
            Ok::<_, Error>(Found {
                host,
                pool,
                identities,
            })
        };
        let pair = pair(name, one, other);
        let known = self.apart.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&pair) {
            return Ok(());
        }
        drop(known);
        self.compare(name, &find(one)?, &find(other)?)
    }

    /// A pool and what tells it apart; `None` on libvirt's mock driver, which keeps nothing.
    fn identified(&self, host: &Host, name: &str) -> Result<Option<(Pool, BTreeSet<String>)>> {
        if host.traits()?.offers("test") {
            return Ok(None);
        }
        let pool = self.pool_named(host, name)?;
        let mut names = pool.names(host)?;
        names.retain(|name| is_random(name, IDENTITY));
        Ok(Some((pool, names.into_iter().collect())))
    }

    fn compare(&self, name: &str, one: &Found<'_>, other: &Found<'_>) -> Result<()> {
        let named = !one.identities.is_empty() && !other.identities.is_empty();
        let told_apart = named && one.identities.is_disjoint(&other.identities);
        if !told_apart && is_one(one, other)? {
            return Err(shared(name, one.host, other.host));
        }
        let mut known = self.apart.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(pair(name, one.host, other.host));
        Ok(())
    }
}

fn pair(pool: &str, one: &Host, other: &Host) -> (Name, Name, String) {
    let (one, other) = (one.name().clone(), other.name().clone());
    let (first, last) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    (first, last, pool.to_owned())
}

/// Whether what is made in one pool is in the other.
fn is_one(one: &Found<'_>, other: &Found<'_>) -> Result<bool> {
    let file = random(PROBE);
    one.pool.make_new(one.host, &small(&file))?;
    let outcome = match other.pool.make_new(other.host, &small(&file)) {
        Ok(_) => other.pool.remove(other.host, &file).map(|()| false),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(true),
        Err(error) => {
            // Which refusal it was shows once libvirt looks at what is there.
            let there = other.pool.refresh(other.host);
            let there = there.and_then(|()| other.pool.volume(other.host, &file));
            match there {
                Ok(Some(_)) => Ok(true),
                Ok(None) | Err(_) => Err(error),
            }
        }
    };
    one.pool.remove(one.host, &file)?;
    outcome
}

/// The error for two hosts that have one folder.
fn shared(pool: &str, one: &Host, other: &Host) -> Error {
    let message = format!(
        "the pool `{pool}` of the hosts {} and {} is one and the same folder",
        other.name(),
        one.name()
    );
    let help = "each host needs a folder of its own there: mount another one on each, or name one that \
                is not shared with `pool_path` and another name for `pool`";
    fail(ErrorKind::Invalid, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_files_are_known() {
        assert!(is_of_pools(&random(PROBE)) && is_of_pools(&random(IDENTITY)));
        assert!(!is_of_pools("probe-1.qcow2") && !is_of_pools("pool-of-the-office"));
    }
}
