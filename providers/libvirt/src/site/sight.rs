//! Which hosts can be looked at now. What is on the others is not known to be gone.
//!
//! A host that does not answer makes a list break off. One that is said to be down, or is not listed any
//! more, does so only where the others are too few to know what is on it: else what they note of it is
//! listed as [unseen](strat_model::ResourceState::Unseen), and the rest of the site goes on. See [`super::roster`].

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use strat_model::{Error, ErrorKind, Kind, Name, Owner, Resource, ResourceId, Result};

use super::{Site, on_all, pick};
use crate::error::fail;
use crate::host::Host;

/// What of a site can be looked at now.
struct Sight {
    /// A site of the hosts that answer; `None` if all do.
    part: Option<Site>,
    /// The names of the others.
    silent: Vec<Name>,
}

/// The first part of a list, and the names of the hosts that the rest is on.
type Part = (Vec<Resource>, Vec<String>);

impl Site {
    /// What there is of a kind on the hosts that answer, and what is known of it on hosts that are down or
    /// not listed. The hosts follow that nobody knows enough of.
    pub(crate) fn list_seen(&self, kind: Kind, owner: Option<&Owner>) -> Result<Part> {
        let sight = self.sight()?;
        let site = sight.part.as_ref().unwrap_or(self);
        let items = site.list(kind)?;
        let mut unseen: Vec<_> = sight.silent.iter().map(ToString::to_string).collect();
        let absent = site.absent(owner)?;
        if owner.is_some() {
            let mut all = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
            for host in &absent.hosts {
                let known = all.entry(host.clone()).or_insert(true);
                *known &= absent.is_known;
            }
        }
        if absent.hosts.is_empty() || (unseen.is_empty() && absent.is_known) {
            return Ok((self.with_unseen(kind, items, &absent.hosts)?, unseen));
        }
        unseen.extend(absent.hosts);
        Ok((items, unseen))
    }

    /// All that there is of a kind, and all that is noted of hosts that are not looked at.
    pub(crate) fn list_noted(&self, kind: Kind) -> Result<Vec<Resource>> {
        let mut items = self.list(kind)?;
        if matches!(kind, Kind::Machine | Kind::Volume) {
            items.extend(self.unseen(kind)?);
        }
        Ok(items)
    }

    /// A list, with what is on hosts that are not looked at. Of what all hosts have, they have copies.
    fn with_unseen(
        &self,
        kind: Kind,
        mut items: Vec<Resource>,
        absent: &BTreeSet<String>,
    ) -> Result<Vec<Resource>> {
        let Some(first) = absent.first() else {
            return Ok(items);
        };
        if matches!(kind, Kind::Machine | Kind::Volume) {
            let noted = self.unseen(kind)?;
            // Of a volume that was on its way when the host was lost, nobody knows which copy counts.
            items.retain(|item| noted.iter().all(|one| one.id != item.id));
            items.extend(noted);
        } else {
            let why = format!("{}, and has its own copy", self.whereabouts(first));
            for item in &mut items {
                let key = Resource::UNSEEN.to_owned();
                item.attributes.extend([(key, why.clone())]);
            }
        }
        Ok(items)
    }

    /// What is noted of a kind on hosts that are not looked at.
    fn unseen(&self, kind: Kind) -> Result<Vec<Resource>> {
        let noted = self.noted(kind)?;
        let of = |note| self.of_note(note, &self.whereabouts(&note.body.host));
        Ok(noted.iter().map(of).collect())
    }

    /// What there is of a kind on hosts that could not be looked at before.
    ///
    /// # Errors
    /// If one of them still cannot.
    pub(crate) fn list_rest<'a>(
        &self,
        kind: Kind,
        hosts: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Resource>> {
        let hosts = hosts.map(|name| self.reach(name)).collect::<Result<_>>()?;
        self.part(hosts).list(kind)
    }

    /// The things of these ids. One that is on a host that cannot be looked at, or may be, is an error,
    /// unless that is noted of it: it is not known to be gone.
    pub(crate) fn read(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if kind == Kind::Machine {
            return self.read_machines(ids);
        }
        let sight = self.sight()?;
        let mut found = pick(sight.part.as_ref().unwrap_or(self).list(kind)?, ids);
        let is_missing = |id: &&ResourceId, found: &[Resource]| found.iter().all(|f| f.id != **id);
        if ids.iter().any(|id| is_missing(&id, &found)) && kind == Kind::Volume {
            found.extend(pick(self.unseen(kind)?, ids));
        }
        for id in ids.iter().filter(|id| is_missing(id, &found)) {
            self.is_seen(id, &sight)?;
        }
        Ok(found)
    }

    fn read_machines(&self, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        let is_away = |id: &&ResourceId| {
            let host = id.as_str().split_once('/').map(|(host, _)| host);
            host.is_some_and(|host| self.is_away(host))
        };
        let (away, here): (Vec<_>, Vec<_>) = ids.iter().partition(is_away);
        let here: Vec<ResourceId> = here.into_iter().cloned().collect();
        let mut found = self.get_machines(&here)?;
        if away.is_empty() {
            return Ok(found);
        }
        let noted = self.unseen(Kind::Machine)?;
        for id in away {
            match noted.iter().find(|one| one.id == *id) {
                Some(one) => found.push(one.clone()),
                None => drop(self.guest(id)?),
            }
        }
        Ok(found)
    }

    /// Fails if something that was not found may be on a host that was not looked at.
    fn is_seen(&self, id: &ResourceId, sight: &Sight) -> Result<()> {
        // A foreign volume's id begins with its host.
        if let Some((name, _)) = id.as_str().split_once('/') {
            let silent = sight.silent.iter().any(|silent| silent == name);
            return match self.host(name) {
                Some(_) if silent => self.reach(name).map(drop),
                Some(_) => Ok(()),
                None if self.is_gone(name) => Ok(()),
                None => Err(self.not_looked_at(name)),
            };
        }
        if let Some(host) = sight.silent.first() {
            self.reach(host.as_str())?;
            // It answers again: whoever repeats the call looks there, too.
            let message = format!("the host {host} did not answer a moment ago");
            return Err(fail(ErrorKind::Transient, message));
        }
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        let down = self.listed.iter();
        let mut down = down.filter(|host| self.is_away(host) && !absent.contains_key(*host));
        let mut unknown = absent.iter().filter(|(_, known)| !**known);
        let unknown = unknown.next().map(|(host, _)| host).or_else(|| down.next());
        unknown.map_or(Ok(()), |host| Err(self.not_looked_at(host)))
    }

    /// What the machines that answer are called.
    ///
    /// # Errors
    /// If none answers.
    pub(crate) fn hostnames(&self) -> Result<Vec<String>> {
        let sight = self.sight()?;
        sight.part.as_ref().unwrap_or(self).each(Host::hostname)
    }

    /// A host of the site that answers.
    fn reach(&self, name: &str) -> Result<Arc<Host>> {
        let host = self.hosts.iter().find(|host| host.name() == name);
        let host = host.ok_or_else(|| self.not_looked_at(name))?;
        host.connect()?;
        Ok(Arc::clone(host))
    }

    /// What can be looked at now.
    ///
    /// # Errors
    /// If no host answers.
    fn sight(&self) -> Result<Sight> {
        let answers = on_all(&self.hosts, |host| host.connect().map(drop));
        let (mut seen, mut silent, mut first) = (Vec::new(), Vec::new(), None);
        for (host, answer) in self.hosts.iter().zip(answers) {
            match answer {
                Ok(()) => seen.push(Arc::clone(host)),
                Err(error) => {
                    silent.push(host.name().clone());
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) if seen.is_empty() => Err(error),
            None => Ok(Sight { part: None, silent }),
            Some(_) => Ok(Sight {
                part: Some(self.part(seen)),
                silent,
            }),
        }
    }

    /// The same site of some of its hosts, to be looked at.
    fn part(&self, hosts: Vec<Arc<Host>>) -> Self {
        let (settings, clock) = (self.settings.clone(), Arc::clone(&self.clock));
        let capabilities = self.capabilities.clone();
        let base_dir = self.base_dir.clone();
        let mut part = Self::new(
            self.name.clone(),
            settings,
            hosts,
            capabilities,
            clock,
            base_dir,
        );
        part.listed = self.listed.clone();
        part.silent = self.hosts.iter().map(|host| host.name().clone()).collect();
        part
    }

    /// Whether a host is one that is not looked at: it is down, or not listed, and may come back.
    pub(super) fn is_away(&self, host: &str) -> bool {
        let mut hosts = self
            .hosts
            .iter()
            .map(|host| host.name())
            .chain(&self.silent);
        hosts.all(|name| name != host) && !self.is_gone(host)
    }

    /// Why a host is not looked at.
    fn whereabouts(&self, host: &str) -> String {
        if self.listed.contains(host) {
            format!("the host {host} is down, as `hosts` says")
        } else {
            format!(
                "the host {host} is not listed in `hosts` of the site {}",
                self.name
            )
        }
    }

    /// The error for what may be on a host that is not looked at.
    pub(super) fn not_looked_at(&self, host: &str) -> Error {
        let why = self.whereabouts(host);
        let message = format!("{why}, and what is on it is not known");
        let help = if self.listed.contains(host) {
            "what may be on it is left as it is until it is back: take `state = \"down\"` out then; \
             `state = \"gone\"` says that it does not come back. The others go on meanwhile where most \
             of the site's hosts are up and were when something was last made"
                .to_owned()
        } else {
            format!(
                "put it back: `{{ name = \"{host}\", uri = \"…\" }}`, with `state = \"down\"` while it \
                 does not answer, `state = \"drain\"` to empty it, or `state = \"gone\"` if it does not \
                 come back"
            )
        };
        fail(ErrorKind::Precondition, message).with_help(help)
    }
}
