//! Which hosts have things of an owner's, and which of them know what is on the others.
//!
//! A host that is down, or was taken out of `hosts` for a while, still has its machines and volumes.
//! Whoever looks would find none of them, and make them a second time. So the hosts' pools have small
//! volumes, for each owner and site (whose digest is in their names):
//!
//! - `site-<digest>.<host>` on each other host: that host has a machine or a volume. It is there before
//!   the first of them is made, and goes once the last is deleted.
//! - notes of each machine and volume on every host that is up, written before it is made: see
//!   [`super::notes`].
//! - `member-<digest>.<host>` for each of the site's hosts. A host's own file is made last, once it has
//!   all notes that the others have: from then on it is one that knows.
//!
//! While a host is away, the rest goes on if most of the site's hosts are up and know ([`is_enough`]).
//! Of any two such parts of a site one host is in both. So what one part makes is noted where the next one
//! looks, whichever hosts are up then; and two halves that each take the other for lost never both
//! make something.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use strat_model::{Digest, Kind, Mark, Owner, Result};

use super::Site;
use crate::host::{Host, NewVolume};
use crate::storage::VolumeBody;
use crate::thing::Thing;

const PREFIX: &str = "site-";
const MEMBER: &str = "member-";

/// The hosts that are not looked at.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// Their names: those that are down, and those that have things and are not listed.
    pub(super) hosts: BTreeSet<String>,
    /// Whether enough of the others know what is on them.
    pub(super) is_known: bool,
}

/// The host that a volume of a pool speaks of, if its name begins so.
fn host_of<'a>(file: &'a str, prefix: &str) -> Option<&'a str> {
    let (key, host) = file.strip_prefix(prefix)?.split_once('.')?;
    let is_key = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_key && !host.is_empty()).then_some(host)
}

/// Whether a volume of a pool says that a host has things, or is the site's.
pub(crate) fn is_roster(file: &str) -> bool {
    host_of(file, PREFIX).is_some() || host_of(file, MEMBER).is_some()
}

/// Whether those who know are enough: more than half, or half with the first of all by name. Two parts
/// that share nobody are never both enough.
pub(super) fn is_enough(members: &BTreeSet<String>, knowing: &BTreeSet<String>) -> bool {
    let knowing: BTreeSet<_> = knowing.intersection(members).collect();
    let has_first = members.first().is_some_and(|one| knowing.contains(one));
    2 * knowing.len() + usize::from(has_first) > members.len()
}

impl Site {
    /// What the names of an owner's files begin with.
    fn roster_prefix(&self, prefix: &str, owner: &Owner) -> String {
        let digest = Digest::of_parts(["site", &owner.to_string(), self.name.as_str()]);
        format!("{prefix}{}.", digest.short())
    }

    /// What follows one of the beginnings in the names of files.
    fn told(files: &[String], prefixes: &[String]) -> BTreeSet<String> {
        let told = files.iter().filter_map(|file| {
            let mut prefixes = prefixes.iter();
            prefixes.find_map(|prefix| file.strip_prefix(prefix.as_str()).map(str::to_owned))
        });
        told.collect()
    }

    /// The names of all volumes of each host's own pool; libvirt's mock driver has none.
    fn files(&self) -> Result<Vec<Vec<String>>> {
        self.each(|host| match host.traits()?.offers("test") {
            true => Ok(Vec::new()),
            false => self.pool(host)?.names(host),
        })
    }

    /// Which hosts are not looked at, and whether what `owner` has on them is known. Without an owner:
    /// those that are down, and what anybody has.
    pub(super) fn absent(&self, owner: Option<&Owner>) -> Result<Absent> {
        let down = self.listed.iter().filter(|host| self.is_away(host));
        let mut absent = Absent {
            hosts: down.cloned().collect(),
            is_known: false,
        };
        let files = self.files()?;
        let Some(owner) = owner else {
            let all = files
                .iter()
                .flatten()
                .filter(|f| host_of(f, MEMBER).is_some());
            let keys: BTreeSet<_> = all.filter_map(|f| Some(f.split_once('.')?.0)).collect();
            let known = |key: &&str| self.is_known(&files, &[format!("{key}.")], &absent.hosts);
            absent.is_known =
                absent.hosts.is_empty() || (!keys.is_empty() && keys.iter().all(known));
            return Ok(absent);
        };
        let owners = [owner.clone(), owner.named()];
        let of = |prefix| owners.each_ref().map(|one| self.roster_prefix(prefix, one));
        let told = files
            .iter()
            .flat_map(|files| Self::told(files, &of(PREFIX)));
        absent.hosts.extend(told.filter(|host| self.is_away(host)));
        absent.is_known =
            absent.hosts.is_empty() || self.is_known(&files, &of(MEMBER), &absent.hosts);
        Ok(absent)
    }

    /// Whether enough hosts know what is on those that are away, as the files that begin so say.
    fn is_known(&self, files: &[Vec<String>], of: &[String], away: &BTreeSet<String>) -> bool {
        let mut all: BTreeSet<String> = self.listed.union(away).cloned().collect();
        all.extend(self.settings.gone.iter().map(ToString::to_string));
        let mut knowing = BTreeSet::new();
        for (host, files) in self.hosts.iter().zip(files) {
            let told = Self::told(files, of);
            if told.contains(host.name().as_str()) {
                knowing.insert(host.name().to_string());
            }
            all.extend(told);
        }
        is_enough(&all, &knowing)
    }

    /// Sees to it that every host that is up has the notes of all that the owner has, and is known to:
    /// once for each program that makes or changes something.
    ///
    /// # Errors
    /// If a host is away and too few know what is on it.
    fn gather(&self, owner: &Owner) -> Result<()> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.contains(owner) {
            return Ok(());
        }
        let absent = self.absent(Some(owner))?;
        if let Some(host) = absent.hosts.first().filter(|_| !absent.is_known) {
            return Err(self.not_looked_at(host));
        }
        self.spread_notes(owner)?;
        let prefix = self.roster_prefix(MEMBER, owner);
        let members: BTreeSet<_> = self.listed.union(&absent.hosts).cloned().collect();
        for (host, files) in self.hosts.iter().zip(self.files()?) {
            if host.traits()?.offers("test") {
                continue;
            }
            let told = Self::told(&files, std::slice::from_ref(&prefix));
            let pool = self.pool(host)?;
            let own = host.name().to_string();
            let new = members.iter().filter(|name| **name != own).chain([&own]);
            for name in new.filter(|name| !told.contains(*name)) {
                pool.make(host, &small(&format!("{prefix}{name}")))?;
            }
            for name in told
                .difference(&members)
                .filter(|_| absent.hosts.is_empty())
            {
                pool.remove(host, &format!("{prefix}{name}"))?;
            }
        }
        gathered.insert(owner.clone());
        Ok(())
    }

    /// Whether the site has, or is known to have had, more hosts than one.
    pub(super) fn has_others(&self) -> bool {
        let gathered = || {
            let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            !gathered.is_empty()
        };
        self.listed.len() + self.settings.gone.len() > 1 || gathered()
    }

    /// Notes on the other hosts that one is about to have something of an owner's.
    ///
    /// # Errors
    /// If a host is away and too few know what is on it.
    pub(crate) fn enroll(&self, owner: &Owner, host: &Host) -> Result<()> {
        if !self.has_others() && self.absent(Some(owner))?.hosts.is_empty() {
            return Ok(());
        }
        self.gather(owner)?;
        let file = format!("{}{}", self.roster_prefix(PREFIX, owner), host.name());
        let is_known = |file: &String| {
            let known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(file)
        };
        if is_known(&file) {
            return Ok(());
        }
        for other in self.hosts.iter().filter(|one| one.name() != host.name()) {
            if other.traits()?.offers("test") {
                continue;
            }
            self.pool(other)?.make(other, &small(&file))?;
        }
        let mut known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(file);
        Ok(())
    }

    /// Takes that note away where a host has nothing of an owner's any more. What is in the way of it
    /// changes nothing of what was done before: the note stays, and at worst is asked about. Who calls
    /// holds the placement: nothing is being made there meanwhile.
    pub(crate) fn leave(&self, owner: &Owner, host: &Host) {
        if !self.has_others() {
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
        let owners = [owner.clone(), owner.named()];
        for owner in &owners {
            let file = format!("{}{}", self.roster_prefix(PREFIX, owner), host.name());
            let mut known = self.enrolled.lock().unwrap_or_else(PoisonError::into_inner);
            known.remove(&file);
            drop(known);
            for other in self.hosts.iter().filter(|one| one.name() != host.name()) {
                self.pool(other)?.remove(other, &file)?;
            }
        }
        self.disband(&owners)
    }

    /// Takes away what says who knows, where nobody has anything any more.
    fn disband(&self, owners: &[Owner]) -> Result<()> {
        let of = |prefix| -> Vec<String> {
            let owners = owners.iter();
            owners.map(|one| self.roster_prefix(prefix, one)).collect()
        };
        let (rosters, members) = (of(PREFIX), of(MEMBER));
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let files = self.files()?;
        let mut has = files.iter().map(|files| Self::told(files, &rosters));
        let away = self.listed.iter().any(|host| self.is_away(host));
        if away || has.any(|told| !told.is_empty()) {
            return Ok(());
        }
        gathered.retain(|owner| !owners.contains(owner));
        self.forget_notes(owners)?;
        for (host, files) in self.hosts.iter().zip(files) {
            let told = |file: &&String| {
                let mut members = members.iter();
                members.any(|prefix| file.starts_with(prefix.as_str()))
            };
            for file in files.iter().filter(told) {
                self.pool(host)?.remove(host, file)?;
            }
        }
        Ok(())
    }
}

const fn small(name: &str) -> NewVolume<'_> {
    NewVolume {
        name,
        capacity: Some(1),
        format: "raw",
        backing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_files_are_known() {
        assert!(is_roster("site-0123456789abcdef.kvm2"));
        assert!(is_roster("member-0123456789abcdef.kvm2"));
        assert!(!is_roster("site-plan.qcow2") && !is_roster("site-0123456789abcdef."));
    }

    /// Whichever hosts there are, and however they fall apart: one part at most goes on, and any two parts
    /// that are enough have a host in common.
    #[test]
    fn no_two_parts_of_a_site_go_on_without_each_other() {
        for count in 1..=7_u32 {
            let part = |bits: u32| -> BTreeSet<String> {
                let hosts = (0..count).filter(|host| bits >> host & 1 == 1);
                hosts.map(|host| format!("kvm{host}")).collect()
            };
            let all = part(u32::MAX);
            assert!(is_enough(&all, &all) && !is_enough(&all, &BTreeSet::new()));
            for (one, other) in (0..1 << count).flat_map(|a| (0..1 << count).map(move |b| (a, b))) {
                let both = is_enough(&all, &part(one)) && is_enough(&all, &part(other));
                assert!(!both || one & other != 0, "{count} {one:b} {other:b}");
            }
            // One host of three or more may be away, whichever it is.
            let one_away = |host: u32| is_enough(&all, &part(!(1 << host)));
            assert!(count < 3 || (0..count).all(one_away), "{count}");
        }
    }
}
