//! Carrying a volume from one host to another of its zone.
//!
//! The new host gets the document first, as unfinished; then the data; then the document says
//! that it is whole, with one move more; then the old host's copy goes. Whatever is interrupted,
//! of two documents the whole one that moved more often counts, and its data is whole.

use strat_model::{ErrorKind, Result};

use super::volumes::Found;
use crate::error::{Explain as _, fail, missing};
use crate::host::{Host, NewVolume};
use crate::site::Site;
use crate::thing::Phase;

impl Site {
    /// Moves a volume that nobody uses to a host, and gives it as it is there.
    pub(super) fn carry(&self, found: Found, to: &Host) -> Result<Found> {
        let from = &self.hosts[found.host];
        for pool in [&found.thing.body.pool, &self.settings.pool] {
            self.apart(pool, from, to)?;
        }
        let owner = found.thing.mark().map(|mark| mark.owner);
        if let Some(owner) = &owner {
            self.enroll(owner, to)?;
        }
        let mut there = found.thing.clone();
        there.body.moves += 1;
        there.phase = Phase::Making;
        self.put_volume(to, &there)?;
        let (pool, volume) = (there.body.pool.clone(), there.body.volume.clone());
        self.pool_named(to, &pool)?.remove(to, &volume)?;
        if there.body.used {
            self.copy_volume(from, to, &pool, &volume)?;
        } else {
            there.body.rounded = None;
            self.make_volume(to, &mut there)?;
        }
        there.phase = Phase::Made;
        self.put_volume(to, &there)?;
        self.note_volume(to, &there)?;
        self.drop_copy(from, &found.thing)?;
        if let Some(owner) = &owner {
            self.leave(owner, from);
        }
        let host = self
            .hosts
            .iter()
            .position(|host| host.name() == to.name())
            .unwrap_or(found.host);
        Ok(Found {
            host,
            thing: there,
            ..found
        })
    }

    /// Deletes what broken moves of a volume left behind, where that is not the volume itself: two
    /// hosts may have one folder for a pool.
    pub(super) fn drop_stale(&self, found: &Found) -> Result<()> {
        let kept = &self.hosts[found.host];
        found.stale.iter().try_for_each(|index| {
            let stale = &self.hosts[*index];
            for pool in [&found.thing.body.pool, &self.settings.pool] {
                self.apart(pool, kept, stale)?;
            }
            self.drop_copy(stale, &found.thing)
        })
    }

    /// Sees to it that a host has a volume that all hosts have: one that joined the site later
    /// gets it from another.
    pub(crate) fn ensure_volume(&self, host: &Host, pool: &str, volume: &str) -> Result<()> {
        let has = |host: &Host| -> Result<bool> {
            Ok(self.pool_named(host, pool)?.volume(host, volume)?.is_some())
        };
        if has(host)? {
            return Ok(());
        }
        for other in self
            .hosts
            .iter()
            .filter(|other| other.name() != host.name())
        {
            if has(other)? {
                return self.copy_volume(other, host, pool, volume);
            }
        }
        Err(fail(
            ErrorKind::Invalid,
            format!("no host has the volume {volume} in the pool {pool}"),
        ))
    }

    /// Copies a volume's content as it is stored, over this machine.
    fn copy_volume(&self, from: &Host, to: &Host, pool: &str, name: &str) -> Result<()> {
        let doing = || format!("copying the volume {name}");
        let (source_pool, target_pool) = (self.pool_named(from, pool)?, self.pool_named(to, pool)?);
        let Some(source) = source_pool.volume(from, name)? else {
            return Err(missing(format!("volume {name} on {}", from.name())));
        };
        let format = source_pool.format_of(from, name)?;
        let capacity = Some(source_pool.size_of(from, &source)?.0);
        let target = target_pool.make(
            to,
            &NewVolume {
                name,
                capacity,
                format: &format,
                backing: None,
            },
        )?;
        let stream = target.upload(0).on(to, doing)?;
        let copied = from.download(&source, &mut |part| stream.send(part).on(to, doing));
        match copied {
            Ok(()) => stream.finish().on(to, doing),
            Err(error) => {
                stream.abort();
                Err(error)
            }
        }
    }
}
