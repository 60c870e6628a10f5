//! Which hosts can be looked at now. What is on the others is not known to be gone.

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
    unseen: Vec<Name>,
}

/// The first part of a list, and the names of the hosts that the rest is on.
type Part = (Vec<Resource>, Vec<String>);

impl Site {
    /// What there is of a kind on the hosts that answer. The others follow: those that do not answer or
    /// are said to be down, and those that are known to have things of `owner` and are not listed.
    pub(crate) fn list_seen(&self, kind: Kind, owner: Option<&Owner>) -> Result<Part> {
        let sight = self.sight()?;
        let site = sight.part.as_ref().unwrap_or(self);
        let items = site.list(kind)?;
        let mut unseen: Vec<_> = sight.unseen.iter().map(ToString::to_string).collect();
        let on_one_host = matches!(kind, Kind::Machine | Kind::Volume);
        if let Some(owner) = owner.filter(|_| on_one_host) {
            let unlisted = site.find_unlisted(owner)?;
            unseen.extend(unlisted.iter().cloned());
            let mut all = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(unlisted);
        }
        Ok((items, unseen))
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

    /// The things of these ids. One that is on a host that cannot be looked at, or may be, is an error:
    /// it is not known to be gone.
    pub(crate) fn read(&self, kind: Kind, ids: &[ResourceId]) -> Result<Vec<Resource>> {
        if kind == Kind::Machine {
            return self.get_machines(ids);
        }
        let sight = self.sight()?;
        let found = pick(sight.part.as_ref().unwrap_or(self).list(kind)?, ids);
        let missing = ids
            .iter()
            .filter(|id| found.iter().all(|one| one.id != **id));
        for id in missing {
            self.is_seen(id, &sight)?;
        }
        Ok(found)
    }

    /// Fails if something that was not found may be on a host that was not looked at.
    fn is_seen(&self, id: &ResourceId, sight: &Sight) -> Result<()> {
        // A foreign volume's id begins with its host.
        if let Some((name, _)) = id.as_str().split_once('/') {
            let unseen = sight.unseen.iter().any(|unseen| unseen == name);
            return match self.host(name) {
                Some(_) if unseen => self.reach(name).map(drop),
                Some(_) => Ok(()),
                None if self.is_gone(name) => Ok(()),
                None => Err(not_listed(&self.name, name)),
            };
        }
        let unlisted = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        let unlisted = unlisted.first().cloned();
        let silent = sight.unseen.first().map(ToString::to_string);
        match silent.or(unlisted) {
            None => Ok(()),
            Some(host) => {
                self.reach(&host)?;
                // It answers again: whoever repeats the call looks there, too.
                let message = format!("the host {host} did not answer a moment ago");
                Err(fail(ErrorKind::Transient, message))
            }
        }
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
        let host = host.ok_or_else(|| not_listed(&self.name, name))?;
        host.connect()?;
        Ok(Arc::clone(host))
    }

    /// What can be looked at now.
    ///
    /// # Errors
    /// If no host answers.
    fn sight(&self) -> Result<Sight> {
        let answers = on_all(&self.hosts, |host| host.connect().map(drop));
        let (mut seen, mut unseen, mut first) = (Vec::new(), Vec::new(), None);
        for (host, answer) in self.hosts.iter().zip(answers) {
            match answer {
                Ok(()) => seen.push(Arc::clone(host)),
                Err(error) => {
                    unseen.push(host.name().clone());
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) if seen.is_empty() => Err(error),
            None => Ok(Sight { part: None, unseen }),
            Some(_) => Ok(Sight {
                part: Some(self.part(seen)),
                unseen,
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
        part
    }
}

/// The error for a host that is known to be a site's and that its settings do not have.
pub(super) fn not_listed(site: &Name, host: &str) -> Error {
    let message = format!(
        "the host {host} is not listed in `hosts` of the site {site}, and what is on it is not known"
    );
    let help = format!(
        "put it back: `{{ name = \"{host}\", uri = \"…\" }}`, with `state = \"down\"` while it does not \
         answer, `state = \"drain\"` to empty it, or `state = \"gone\"` if it does not come back"
    );
    fail(ErrorKind::Precondition, message).with_help(help)
}
