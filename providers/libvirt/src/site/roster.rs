//! Which hosts have things of an owner's, as the other hosts know it.
//!
//! A host that is taken out of `hosts` for a while still has its machines and volumes. Whoever looks
//! from a folder that remembers nothing would find none of them, and make them a second time. So each
//! other host's pool has a small volume `site-<digest>.<host>` as long as the host has a machine or a
//! volume of the owner's: the digest is of the owner and the site. It is there before the first of
//! them is made, and goes once the last is deleted.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use strat_model::{Digest, Kind, Mark, Owner, Result};

use super::Site;
use crate::host::{Host, NewVolume};
use crate::storage::VolumeBody;
use crate::thing::Thing;

const PREFIX: &str = "site-";

/// Whether a volume of a pool says that a host has things.
pub(crate) fn is_roster(file: &str) -> bool {
    let parts = file
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(key, host)| {
        key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) && !host.is_empty()
    })
}

impl Site {
    /// What the names of an owner's files begin with.
    fn roster_prefix(&self, owner: &Owner) -> String {
        let digest = Digest::of_parts(["site", &owner.to_string(), self.name.as_str()]);
        format!("{PREFIX}{}.", digest.short())
    }

    /// The hosts that have things of an owner's and are not listed, as those know that are.
    pub(super) fn find_unlisted(&self, owner: &Owner) -> Result<BTreeSet<String>> {
        let prefixes = [owner.clone(), owner.named()].map(|owner| self.roster_prefix(&owner));
        let lists = self.each(|host| {
            if host.traits()?.offers("test") {
                return Ok(Vec::new());
            }
            self.pool(host)?.names(host)
        })?;
        let files = lists.into_iter().flatten();
        let hosts = files.filter_map(|file| {
            let mut prefixes = prefixes.iter();
            prefixes.find_map(|prefix| file.strip_prefix(prefix.as_str()).map(str::to_owned))
        });
        Ok(hosts
            .filter(|host| !self.listed.contains(host) && !self.is_gone(host))
            .collect())
    }

    /// Notes on the other hosts that one is about to have something of an owner's.
    pub(crate) fn enroll(&self, owner: &Owner, host: &Host) -> Result<()> {
        let file = format!("{}{}", self.roster_prefix(owner), host.name());
        let is_known = |file: &String| {
            let known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(file)
        };
        if is_known(&file) || self.hosts.len() < 2 {
            return Ok(());
        }
        let others = self.hosts.iter().filter(|other| !other.is_down());
        for other in others.filter(|other| other.name() != host.name()) {
            if other.traits()?.offers("test") {
                continue;
            }
            let new = NewVolume {
                name: &file,
                capacity: Some(1),
                format: "raw",
                backing: None,
            };
            self.pool(other)?.make(other, &new)?;
        }
        let mut known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(file);
        Ok(())
    }

    /// Takes that note away where a host has nothing of an owner's any more. What is in the way of it
    /// changes nothing of what was done before: the note stays, and at worst is asked about.
    pub(crate) fn leave(&self, owner: &Owner, host: &Host) {
        if self.hosts.len() < 2 {
            return;
        }
        if let Err(error) = self.try_leave(owner, host) {
            tracing::debug!(host = %host.name(), "it is still noted as one that has things: {error}");
        }
    }

    fn try_leave(&self, owner: &Owner, host: &Host) -> Result<()> {
        if host.traits()?.offers("test") {
            return Ok(());
        }
        // What has a damaged mark may be the owner's.
        let is_theirs = |mark: Option<Mark>| mark.is_none_or(|mark| mark.owner.is_namesake(owner));
        let guests = host.guests()?;
        let mut things = guests.iter().filter_map(|guest| guest.thing.as_ref());
        if things.any(|thing| is_theirs(thing.mark())) {
            return Ok(());
        }
        let volumes = self.documents_on::<VolumeBody>(host, Kind::Volume)?;
        if volumes.values().map(Thing::mark).any(is_theirs) {
            return Ok(());
        }
        for owner in [owner.clone(), owner.named()] {
            let file = format!("{}{}", self.roster_prefix(&owner), host.name());
            let mut known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
            known.remove(&file);
            drop(known);
            let others = self.hosts.iter().filter(|other| !other.is_down());
            for other in others.filter(|other| other.name() != host.name()) {
                self.pool(other)?.remove(other, &file)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_files_are_known() {
        assert!(is_roster("site-0123456789abcdef.kvm2"));
        assert!(!is_roster("site-plan.qcow2") && !is_roster("site-0123456789abcdef."));
    }
}
