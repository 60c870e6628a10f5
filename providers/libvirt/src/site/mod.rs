//! A site: its hosts, and what is done on all of them.
//!
//! Everything below here blocks and is called on threads that may. The async traits are a thin
//! shell around it.

mod apart;
mod facts;
#[cfg(test)]
mod model;
mod notes;
mod pack;
mod permissions;
mod roster;
mod sight;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strat_model::{
    Capabilities, DiskClass, ErrorKind, Kind, LiveFields, Name, Owner, Resource, ResourceId, Result,
};
use strat_provider::Clock;

pub(crate) use apart::is_of_pools;
pub(crate) use facts::{USER_DATA_MAX, capabilities, flexible_size, general};
pub(crate) use notes::Note;
pub(crate) use pack::{Need, Room, choose};
pub(crate) use roster::is_roster;

use crate::config::Settings;
use crate::error::{PROVIDER, fail, missing};
use crate::host::{Guest, Host, Pool, Shelf};
use crate::thing::Thing;

/// A connected site.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Name,
    pub(crate) settings: Settings,
    /// The hosts that are not said to be down.
    pub(crate) hosts: Vec<Arc<Host>>,
    /// The names of all hosts that the settings list and that may come back.
    listed: BTreeSet<String>,
    /// Of a part of a site: the hosts of the whole, which are listed and up, and may not answer.
    silent: Vec<Name>,
    pub(crate) capabilities: Capabilities,
    /// What is changed in place.
    pub(crate) live: LiveFields,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the paths of image files begin.
    pub(crate) base_dir: PathBuf,
    /// Held while definitions that several things share are read, changed and written.
    definitions: Mutex<()>,
    /// Held while hosts and addresses are chosen, until the choice can be seen by others.
    placement: Mutex<()>,
    /// Hosts that lists found not to be looked at, and whether all that is on them is known.
    absent: Mutex<BTreeMap<String, bool>>,
    /// The files that say that hosts have things, as far as they are known to be there.
    enrolled: Mutex<BTreeSet<String>>,
    /// The owners of whose things every host that is up has the notes.
    gathered: Mutex<BTreeSet<Owner>>,
    /// Held while notes are read and written.
    noting: Mutex<()>,
    /// Pairs of hosts whose pools of a name are known not to be one folder.
    apart: Mutex<BTreeSet<(Name, Name, String)>>,
}

impl Site {
    pub(crate) fn new(
        name: Name,
        settings: Settings,
        hosts: Vec<Arc<Host>>,
        capabilities: Capabilities,
        clock: Arc<dyn Clock>,
        base_dir: PathBuf,
    ) -> Self {
        Self {
            name,
            listed: (hosts.iter().map(|host| host.name()))
                .chain(settings.hosts.iter().map(|host| &host.name))
                .map(ToString::to_string)
                .collect(),
            silent: Vec::new(),
            settings,
            hosts,
            live: LiveFields::usual(capabilities.kinds.iter().copied()),
            capabilities,
            clock,
            base_dir,
            definitions: Mutex::default(),
            placement: Mutex::default(),
            absent: Mutex::default(),
            enrolled: Mutex::default(),
            gathered: Mutex::default(),
            noting: Mutex::default(),
            apart: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn lock_definitions(&self) -> MutexGuard<'_, ()> {
        self.definitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lock_placement(&self) -> MutexGuard<'_, ()> {
        self.placement
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the same on every host at once, and gives the outcomes in the hosts' order. One host
    /// that fails fails it all: what one host does not tell is not known.
    pub(crate) fn each<T: Send>(&self, work: impl Fn(&Host) -> Result<T> + Sync) -> Result<Vec<T>> {
        self.try_each(work).into_iter().collect()
    }

    /// The same, with each host's own outcome.
    pub(crate) fn try_each<T: Send>(
        &self,
        work: impl Fn(&Host) -> Result<T> + Sync,
    ) -> Vec<Result<T>> {
        on_all(&self.hosts, work)
    }

    /// The host of a name.
    pub(crate) fn host(&self, name: &str) -> Option<&Host> {
        let mut hosts = self.hosts.iter();
        hosts.find(|host| host.name() == name).map(|host| &**host)
    }

    /// The pool that documents and seeds are in, and every volume that no class sends elsewhere.
    pub(crate) fn pool(&self, host: &Host) -> Result<Pool> {
        let path = self.settings.pool_path.to_string_lossy();
        let pool = host.pool_at(&self.settings.pool, &path)?;
        if pool.has_files {
            return Ok(pool);
        }
        let message = format!(
            "the pool `{}` of the host {} is one of block devices, and the site's own pool keeps \
             small files",
            pool.name,
            host.name()
        );
        let help = format!(
            "leave `pool` to a folder, and give classes of disks this one: \
             `pools = {{ ssd = \"{}\" }}`",
            pool.name
        );
        Err(fail(ErrorKind::Invalid, message).with_help(help))
    }

    /// The name of the pool of a class of disks.
    pub(crate) fn pool_name(&self, class: DiskClass) -> &str {
        self.settings
            .pools
            .get(&class)
            .unwrap_or(&self.settings.pool)
    }

    /// The pool of a name.
    pub(crate) fn pool_named(&self, host: &Host, name: &str) -> Result<Pool> {
        if name == self.settings.pool {
            self.pool(host)
        } else {
            host.pool(name)
        }
    }

    /// Works with the documents of a kind on a host.
    pub(crate) fn on_shelf<T>(
        &self,
        host: &Host,
        kind: Kind,
        work: impl FnOnce(&Shelf<'_>) -> Result<T>,
    ) -> Result<T> {
        let pool = self.pool(host)?;
        work(&Shelf::new(host, &pool, kind))
    }

    /// The documents of a kind that every host has, by name, as they are on all hosts. The first
    /// host that has one says what is in it.
    pub(crate) fn documents<B: Serialize + DeserializeOwned + Send>(
        &self,
        kind: Kind,
    ) -> Result<BTreeMap<String, Thing<B>>> {
        let mut all = BTreeMap::new();
        for list in self.each(|host| self.documents_on(host, kind))? {
            for (name, thing) in list {
                all.entry(name).or_insert(thing);
            }
        }
        Ok(all)
    }

    /// The documents of a kind on one host, by name. libvirt's mock driver has none.
    pub(crate) fn documents_on<B: Serialize + DeserializeOwned>(
        &self,
        host: &Host,
        kind: Kind,
    ) -> Result<BTreeMap<String, Thing<B>>> {
        if host.traits()?.offers("test") {
            return Ok(BTreeMap::new());
        }
        let pool = self.pool(host)?;
        Shelf::new(host, &pool, kind).all()
    }

    /// All guests of all hosts.
    pub(crate) fn guests(&self) -> Result<Vec<(&Host, Guest)>> {
        let lists = self.each(Host::guests)?;
        let pairs = self.hosts.iter().zip(lists);
        Ok(pairs
            .flat_map(|(host, guests)| guests.into_iter().map(move |guest| (&**host, guest)))
            .collect())
    }

    /// The guest of an id, if it is there.
    pub(crate) fn guest(&self, id: &ResourceId) -> Result<Option<(&Host, Guest)>> {
        let Some((host, uuid)) = self.split(id)? else {
            return Ok(None);
        };
        Ok(host.guest(uuid)?.map(|guest| (host, guest)))
    }

    /// The guest of an id.
    pub(crate) fn need_guest(&self, id: &ResourceId) -> Result<(&Host, Guest)> {
        self.guest(id)?
            .ok_or_else(|| missing(format!("machine {id}")))
    }

    /// The host and the UUID that a machine's id names; `None` for no machine's, and where the host
    /// does not come back.
    ///
    /// # Errors
    /// If the host is down or not listed: what is on it is not looked at.
    fn split<'a>(&self, id: &'a ResourceId) -> Result<Option<(&Host, &'a str)>> {
        let Some((name, uuid)) = id.as_str().split_once('/') else {
            return Ok(None);
        };
        match self.host(name) {
            Some(host) => Ok(Some((host, uuid))),
            None if self.is_gone(name) => Ok(None),
            None => Err(self.not_looked_at(name)),
        }
    }

    /// Why machines are to leave a host: it is to be emptied, and another of its zone takes what is new.
    pub(crate) fn emptied(&self, host: &Host) -> Option<String> {
        let takes = |other: &Arc<Host>| other.zone() == host.zone() && !other.is_draining();
        let is_emptied = host.is_draining() && self.hosts.iter().any(takes);
        is_emptied.then(|| format!("the host {} is to be emptied", host.name()))
    }

    /// Whether a host of this name does not come back.
    fn is_gone(&self, name: &str) -> bool {
        self.settings.gone.iter().any(|gone| gone == name)
    }

    /// Fails unless the zone is one of the site's.
    pub(crate) fn check_zone(&self, zone: &Name) -> Result<()> {
        if self.zones().contains(zone) {
            return Ok(());
        }
        Err(fail(
            ErrorKind::Invalid,
            format!("there is no zone {zone} at {}", self.name),
        ))
    }
}

/// The error for what owned hosts do not have.
pub(crate) fn no_such_kind(kind: Kind) -> strat_model::Error {
    let help = match kind {
        Kind::Bucket => {
            "a host has no object store; name an S3 that the site has, with \
             `s3 = { endpoint = … }`, or put buckets at another site"
        }
        Kind::Address => {
            "a host has no public addresses to give; use a bridge, or a site that has them"
        }
        _ => "put it at another site",
    };
    fail(
        ErrorKind::Unsupported,
        format!("a libvirt site has no {kind}s: {help}"),
    )
    .with_scope(strat_model::Scope::Region)
}

/// The things of these ids, of a list of all.
pub(crate) fn pick(all: Vec<Resource>, ids: &[ResourceId]) -> Vec<Resource> {
    all.into_iter()
        .filter(|resource| ids.contains(&resource.id))
        .collect()
}

/// Fails for a field that an update cannot change.
pub(crate) fn check_fields(
    live: &LiveFields,
    kind: Kind,
    fields: &std::collections::BTreeSet<strat_model::Field>,
) -> Result<()> {
    let checked = strat_provider::check_fields(live, kind, fields);
    checked.map_err(|error| error.with_provider(PROVIDER))
}

/// Does the same on several hosts at once, and gives the outcomes in their order.
pub(crate) fn on_all<T: Send>(
    hosts: &[Arc<Host>],
    work: impl Fn(&Host) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    if let [host] = hosts {
        return vec![work(host)];
    }
    let broken = || Err(fail(ErrorKind::Internal, "a thread for a host broke off"));
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = hosts
            .iter()
            .map(|host| scope.spawn(move || work(host)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| broken()))
            .collect()
    })
}
